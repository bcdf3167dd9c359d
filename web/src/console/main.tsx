// SPDX-License-Identifier: Apache-2.0
import '@picocss/pico/css/pico.min.css'
