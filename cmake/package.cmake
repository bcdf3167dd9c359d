# SPDX-License-Identifier: Apache-2.0
#
# The client as a Debian package: cpack, or ./dev package. What a card holder needs, and no more.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cardferry)
set(CPACK_PACKAGE_VENDOR Cardferry)
set(CPACK_PACKAGE_CONTACT "Cardferry <cardferry@localhost>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL client)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENT_CLIENT_DESCRIPTION "Client of Cardferry, for chip cards
Puts applications onto the card in the reader, as a server orders it: from a
link of a page, or on the command line.")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME cardferry-client)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CLIENT_PACKAGE_RECOMMENDS "pcscd, zenity | kdialog, xdg-utils")
include(CPack)
