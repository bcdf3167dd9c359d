/* SPDX-License-Identifier: Apache-2.0
 *
 * Every maximum of a foreign length, each with its reason. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    /* ISO 7816-4: 5 to 16 bytes. */
    AID_MIN = 5,
    AID_MAX = 16,
    /* ISO 7816-3: TS, T0, at most 15 interface bytes groups and 15 historical bytes, TCK. */
    ATR_MAX = 33,
    /* ISO 7816-4 extended length: header 4, Lc 3, data 65,535, Le 2. */
    CAPDU_MAX = 65544,
    /* Data 65,536 and the status word. */
    RAPDU_MAX = 65538,
    /* GPCS 2.3.1 11.6.2.3: the block number of LOAD is one byte. */
    LOAD_BLOCKS_MAX = 256,
    /* A compact CAP file holds at most about 15 components of 64 KB; what goes to the card is bounded by
     * the largest that 256 extended blocks of a command could carry in practice. */
    LOAD_FILE_MAX = 1024 * 1024,
    /* A CAP file as a ZIP archive: what people keep in them beside the components (Debug, sources) is small.
     */
    CAP_FILE_MAX = 4 * 1024 * 1024,
    CAP_ENTRIES_MAX = 256,
    /* A path inside of the archive: folders of a package, whose name has at most 255 bytes (JCVM 6.4), and a
     * file. */
    CAP_PATH_MAX = 512,
    /* JCVM 3: at most 128 imported packages (6.7), applets of one package by a count of one byte; we take
       fewer. */
    CAP_IMPORTS_MAX = 128,
    CAP_APPLETS_MAX = 64,
    /* One script of a delivery: a load file of the largest size, signed, in 22-objects. */
    SCRIPT_MAX = 2 * 1024 * 1024,
    /* 256 LOAD blocks, INSTALLs, DELETEs, GET STATUS, STORE DATA. */
    SCRIPT_COMMANDS_MAX = 1024,
    /* A frame between front and keeper: a script and its sealed channel. */
    KEEPER_FRAME_MAX = SCRIPT_MAX + 64 * 1024,
    /* HTTP: headers as a whole; a body of the dialogue or an upload (a CAP in base64 or raw). */
    HTTP_HEADERS_MAX = 16 * 1024,
    HTTP_BODY_MAX = 8 * 1024 * 1024,
    /* Names that people give: applications, card types, keys. */
    NAME_MAX_BYTES = 64,
    /* GET STATUS: entries kept of one card's registry; implicit selection parameters of one (cards with eight
     * were seen); the longest piece of an entry that waits for the next page (an entry with all its modules).
     */
    REGISTRY_ENTRIES_MAX = 256,
    REGISTRY_IMPLICIT_MAX = 16,
    REGISTRY_TAIL_MAX = 2048,
    /* Signatures that come in a CAP file, and DAP blocks of a load file: one per security domain that looks;
     * a signature of RSA-4096; a name such as dap.rsa.sha256. */
    CAP_SIGNATURES_MAX = 8,
    CAP_SIGNATURE_MAX = 512,
    CAP_SIGNATURE_NAME_MAX = 31,
    DAP_BLOCKS_MAX = 8,
    /* Components of one key in the key information template: a private RSA key in CRT form has five. */
    KEY_COMPONENTS_TOLD_MAX = 8,
    /* ISO 7816-3: each TD byte names one protocol, or says that more follows. */
    ATR_PROTOCOLS_MAX = 8,
    /* The longest data of a command that is chained, or sent with extended length (GPCS 2.3.1 11.1.5.1). */
    COMMAND_DATA_MAX = 0xFFFF,
    /* The virtual card: what its registry holds. Real cards have room for some dozens of each. */
    CARD_PACKAGES_MAX = 64,
    CARD_APPLICATIONS_MAX = 128,
    CARD_KEYSETS_MAX = 32,
    CARD_KEYS_MAX = 64,
    CARD_OBJECTS_MAX = 64,
    /* A data object: a certificate chain of a few links is the largest. */
    CARD_OBJECT_MAX = 8192,
    /* A key that stands alone: a private RSA-4096 key in PKCS#8 is the longest. */
    CARD_KEY_MAX = 2600,
    /* What one application keeps of STORE DATA: some hundred data groupings. */
    CARD_STORED_MAX = 64 * 1024,
    /* The journal of a card's memory: one record holds at most the whole state, the largest load files
     * included; the file grows by commands until the card starts again. */
    CARD_FRAME_MAX = 32 * 1024 * 1024,
    CARD_NVM_MAX = 128 * 1024 * 1024,
    /* One certificate of a card or of a server, X.509 or GlobalPlatform: cards have some hundred bytes. */
    CERTIFICATE_MAX = 4096,
    /* What the virtual card reads of one: serial numbers and identifiers (RFC 5280 4.1.2.2: 20 bytes), and
     * discretionary data and restrictions. */
    CARD_IDENTIFIER_MAX = 20,
    CARD_DISCRETIONARY_MAX = 512,
    /* Names of host, card and group in a derivation of SCP11: as long as numbers of providers and domains
       get. */
    CARD_SCP11_NAME_MAX = 16,
    /* A chain below the trust point: Amendment F knows two authorities above a leaf; some have more. */
    CERTIFICATE_CHAIN_MAX = 8,
    /* A key or certificate as PEM in a file, with the text that people leave around it. */
    KEY_PEM_MAX = 16 * 1024,
    /* Keys derived from one agreed secret (Amendment F: five of 32 bytes), and then some. */
    KDF_OUT_MAX = 1024,
    /* A ticket: 32 random bytes in base64url are 43 characters. */
    TICKET_MAX = 64
};

#endif
