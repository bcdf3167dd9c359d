#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Transcripts of signed commands: vectors.py >../../../docs/signed-commands-vectors.md (needs the package cryptography).

Both ends are written here anew from docs/signed-commands.md, with the keys of keys.json.
"""
import hashlib
import json
import os
import sys

from cryptography.hazmat.primitives import cmac, hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LABEL = b"FERRY-F0"
HERE = os.path.dirname(os.path.abspath(__file__))
KDD = bytes.fromhex("00010203040506070809")
KVN = 0x30
# i: hash, bytes of r and s (RSA: None), session key
VARIANTS = {
    1: (hashes.SHA256, None, 16),
    2: (hashes.SHA256, None, 16),
    3: (hashes.SHA256, 32, 0),
    4: (hashes.SHA256, 32, 16),
    5: (hashes.SHA384, 48, 32),
}
LEVELS = [(1, 0x11), (1, 0x13), (2, 0x01), (3, 0x11), (4, 0x11), (4, 0x33), (5, 0x33)]
# header, data, wants an answer; what is answered
COMMANDS = [
    ("80F28002", "4F00", True, "E30A4F08A000000151000000", "9000"),
    ("80CA00E0", "", True, "", "9000"),
    ("80E88000", "C4" + "27" + "5A" * 39, False, "00", "6310"),
    ("80E40000", "4F07D0D1D2D3D4D501", False, "", "6A88"),
]


def digest(variant, data):
    return hashlib.new(VARIANTS[variant][0]().name, data).digest()


def number(n, size):
    return n.to_bytes(size, "big")


def image(key):
    if isinstance(key, rsa.RSAPublicKey):
        n = key.public_numbers()
        return number(n.n, key.key_size // 8) + number(n.e, (n.e.bit_length() + 7) // 8)
    if isinstance(key, dsa.DSAPublicKey):
        n = key.public_numbers()
        p = n.parameter_numbers
        return number(p.p, 256) + number(p.q, 32) + number(p.g, 256) + number(n.y, 256)
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def sign(i, key, message):
    hash_type, size, _ = VARIANTS[i]
    if size is None:
        pss = padding.PSS(padding.MGF1(hash_type()), hash_type.digest_size)
        return key.sign(message, pss, hash_type())
    der = key.sign(message, ec.ECDSA(hash_type())) if i > 3 else key.sign(message, hash_type())
    r, s = utils.decode_dss_signature(der)
    return number(r, size) + number(s, size)


def pad(data):
    data += b"\x80"
    return data + bytes(-len(data) % 16)


def aes(key, mode, data):
    e = Cipher(algorithms.AES(key), mode).encryptor()
    return e.update(data) + e.finalize()


def encrypt(key, first, n, data):
    icv = aes(key, modes.ECB(), bytes([first]) + bytes(11) + number(n, 4))
    return aes(key, modes.CBC(icv), pad(data))


def put(name, value):
    print(f"{name} = {value.hex().upper() if isinstance(value, bytes) else value}")


def wire(header, data, wants_answer, extended):
    if extended or len(data) > 255:
        return header + b"\0" + number(len(data), 2) + data + (b"\0\0" if wants_answer else b"")
    return header + (number(len(data), 1) + data if data else b"") + (b"\0" if wants_answer else b"")


class Session:
    """The server, which knows what the card will do."""

    def __init__(self, i, level, keys):
        self.i, self.level = i, level
        self.server, self.card = keys
        self.extended = i <= 2
        self.n = 0

    def open(self):
        host, card = os.urandom(16), os.urandom(16)
        prints = [digest(self.i, image(k.public_key())) for k in (self.server, self.card)]
        m1 = LABEL + b"\1" + bytes([self.i, KVN]) + b"".join(prints) + KDD + host + card
        self.chain = digest(self.i, m1)
        put("fingerprint of the server's key", prints[0])
        put("fingerprint of the card's key", prints[1])
        put("host challenge", host)
        put("INITIALIZE UPDATE", wire(bytes([0x80, 0x50, KVN, 0]), host, True, self.extended))
        put("answer", KDD + bytes([KVN, 0xF0, self.i]) + card + sign(self.i, self.card, m1) + b"\x90\0")
        put("M1", m1)
        put("D", self.chain)

    def carry(self):
        if not self.level & 2:
            return b""
        size = VARIANTS[self.i][2]
        if self.i <= 2:
            z = os.urandom(32)
            put("Z", z)
            oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
            carried = self.card.public_key().encrypt(z, oaep)
        else:
            ephemeral = ec.generate_private_key(self.card.curve)
            put("ephemeral scalar", number(ephemeral.private_numbers().private_value, (self.card.key_size + 7) // 8))
            z = ephemeral.exchange(ec.ECDH(), self.card.public_key())
            put("Z", z)
            carried = image(ephemeral.public_key())
        self.z = z
        return bytes([size]) + carried

    def derive(self):
        if not self.level & 2:
            return
        size = VARIANTS[self.i][2]
        info, made, counter = LABEL + b"\3" + self.chain, b"", 1
        while len(made) < 3 * size:
            made += digest(self.i, self.z + number(counter, 4) + info)
            counter += 1
        self.enc, self.rmac, self.dek = (made[k * size:(k + 1) * size] for k in range(3))
        put("S-ENC", self.enc)
        put("S-RMAC", self.rmac)
        put("S-DEK", self.dek)

    def command(self, name, header, data, wants_answer, encrypted=True):
        if encrypted and data and self.level & 2:
            data = encrypt(self.enc, 0, self.n, data)
        header = bytes([0x84]) + header[1:]
        m = LABEL + b"\2" + self.chain + number(self.n, 4) + header + number(len(data), 2) + data
        signature = sign(self.i, self.server, m)
        self.chain = digest(self.i, m)
        self.n += 1
        wants_answer = wants_answer or (self.n > 1 and self.level & 0x10 != 0)
        put(name, wire(header, data + signature, wants_answer, self.extended))
        put("D", self.chain)

    def answer(self, data, sw):
        if self.level & 0x10 and sw[0] in (0x90, 0x62, 0x63):
            if self.level == 0x33 and data:
                data = encrypt(self.enc, 0x80, self.n - 1, data)
            r = LABEL + b"\4" + self.chain + sw + number(len(data), 2) + data
            if self.level & 2:
                mac = cmac.CMAC(algorithms.AES(self.rmac))
                mac.update(r)
                data += mac.finalize()
            else:
                data += sign(self.i, self.card, r)
        put("answer", data + sw)


def transcript(i, level, row):
    keys = [serialization.load_der_private_key(bytes.fromhex(row[k]), None) for k in ("server", "card")]
    print(f"## i = {i:02X}, level {level:02X}\n\n```")
    put("i", f"{i:02X}")
    put("level", f"{level:02X}")
    put("server private", row["server"])
    put("card private", row["card"])
    s = Session(i, level, keys)
    s.open()
    s.command("EXTERNAL AUTHENTICATE", bytes([0x84, 0x82, level, 0]), s.carry(), False, encrypted=False)
    put("answer", "9000")
    s.derive()
    for header, data, wants, answer, sw in COMMANDS:
        header, data = bytes.fromhex(header), bytes.fromhex(data)
        put("plain command", wire(header, data, wants, False))
        s.command("command", header, data, wants)
        put("plain answer", bytes.fromhex(answer + sw))
        s.answer(bytes.fromhex(answer), bytes.fromhex(sw))
    print("```\n")


def main():
    with open(os.path.join(HERE, "keys.json"), encoding="ascii") as f:
        rows = json.load(f)
    print("<!-- SPDX-License-Identifier: Apache-2.0 -->\n# Signed commands: test vectors\n")
    print("Transcripts for [signed-commands.md](signed-commands.md), made by a program of its own "
          "(tests/data/signed/vectors.py) and\nchecked by the tests of the host's side. In order, as they go over the "
          "wire; keys as PKCS#8; D behind each message is the chain after it.\nSignatures and what RSA-OAEP carries can't "
          "come out the same again, and need not: they verify, and decipher.\n")
    for i, level in LEVELS:
        transcript(i, level, rows[i - 1])


if sys.stdout.isatty():
    sys.exit(__doc__)
main()
