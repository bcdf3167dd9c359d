#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of Triple-DES in CBC mode by the openssl command line: ./make_des3.py >des3.json

- one bit at a time of the plain text, under the weak key of single DES (all zeros but for the parity): where the
  three keys are the same, this is single DES, and is asked for as such too;
- keys and blocks by chance, three different keys: with the next, 74 blocks of 48 rounds, so that each entry of each
  S-box is met with certainty in practice (an entry is missed with a chance of (63/64)^3552);
- chains of 1 to 10 blocks, keys and IV by chance.
"""
import json
import secrets
import subprocess


def encrypt(cipher, key, iv, plain):
    words = ["openssl", "enc", "-e", "-" + cipher, "-K", key.hex(), "-iv", iv.hex(), "-nopad",
             "-provider", "legacy", "-provider", "default"]
    return subprocess.run(words, input=plain, check=True, capture_output=True).stdout


def row(name, key, iv, plain):
    out = encrypt("des-ede3-cbc", key, iv, plain)
    if key == key[:8] * 3:
        assert out == encrypt("des-cbc", key[:8], iv, plain)
    values = {"type": "des3-cbc-many", "id": name, "source": "openssl 3.0 command line (make_des3.py)", "key": key,
              "iv": iv, "plain": plain, "cipher": out}
    return {k: v.hex().upper() if isinstance(v, bytes) else v for k, v in values.items()}


def key_by_chance():
    """Odd parity, as single DES has it."""
    return bytes(b ^ 1 if b.bit_count() % 2 == 0 else b for b in secrets.token_bytes(24))


rows = [row(f"bit-{i}", bytes([1]) * 24, bytes(8), (1 << (63 - i)).to_bytes(8, "big")) for i in range(64)]
rows += [row(f"block-{i}", key_by_chance(), bytes(8), secrets.token_bytes(8)) for i in range(19)]
rows += [row(f"chain-{n}", key_by_chance(), secrets.token_bytes(8), secrets.token_bytes(8 * n)) for n in range(1, 11)]
print("[\n " + ",\n ".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]")
