#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of ciphers, hashes, MACs, key derivation and HPKE: ./make_crypto.py >crypto.json (needs the package
cryptography and the openssl command line, with its provider of old ciphers).

HPKE with an ephemeral key and additional data that are given is put together here from RFC 9180 over the X25519, HMAC
and AES-GCM of pyca/cryptography; what the HPKE of pyca/cryptography itself has sealed opens in the same way.
"""
import hmac
import json
import secrets
import subprocess

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OPENSSL = "openssl 3.0 command line (make_crypto.py)"
PYCA = "pyca/cryptography 48 (make_crypto.py)"
OWN = "RFC 9180 over primitives of pyca/cryptography 48 (make_crypto.py)"
DIGESTS = ("sha1", "sha256", "sha384", "sha512")
TEXT = b"The ferry goes to the other side and comes back."

rows = []


def put(kind, name, source, **fields):
    row = {"type": kind, "id": name, "source": source, **fields}
    rows.append({k: v.hex().upper() if isinstance(v, bytes) else v for k, v in row.items()})


def openssl(*words, data=b""):
    return subprocess.run(["openssl", *words], input=data, check=True, capture_output=True).stdout


# ---- openssl ----

def cipher(kind, name, algorithm, key_len, iv_len, plain):
    key, iv = secrets.token_bytes(key_len), secrets.token_bytes(iv_len)
    words = ["-iv", iv.hex()] if iv else []
    out = openssl("enc", "-e", "-" + algorithm, "-K", key.hex(), *words, "-nopad", "-provider", "legacy", "-provider",
                  "default", data=plain)
    put(kind, name, OPENSSL, key=key, **({"iv": iv} if iv else {}), plain=plain, cipher=out)


def ciphers():
    for mode, iv_len in (("ecb", 0), ("cbc", 16)):
        for bits in (128, 192, 256):
            cipher("aes-" + mode, f"{mode}-{bits}", f"aes-{bits}-{mode}", bits // 8, iv_len, secrets.token_bytes(64))
    cipher("des3-ecb", "tecb", "des-ede3", 24, 0, TEXT[:24])
    cipher("des3-cbc", "tcbc", "des-ede3-cbc", 24, 8, TEXT[:32])
    cipher("des-ecb", "des-ecb", "des-ecb", 8, 0, TEXT[:24])


def hashes():
    for number, text in ((0, b"abc"), (1, b"abc"), (1, b""), (2, b"abc"), (3, b"abc")):
        name = DIGESTS[number]
        put("digest", f"{name}-{text.decode() or 'empty'}", OPENSSL, digest=number, plain=text,
            out=openssl("dgst", "-binary", "-" + name, data=text))
    for i, key in enumerate((secrets.token_bytes(20), secrets.token_bytes(131)), 1):
        out = openssl("dgst", "-binary", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + key.hex(), data=TEXT)
        put("hmac", f"hmac-{i}", OPENSSL, key=key, plain=TEXT, out=out)


def hkdf():
    for i, (key_len, salt_len, info_len, count) in enumerate(((22, 13, 10, 42), (80, 80, 80, 82), (22, 0, 0, 42)), 1):
        key, salt, info = map(secrets.token_bytes, (key_len, salt_len, info_len))
        words = ["-kdfopt", "hexsalt:" + salt.hex(), "-kdfopt", "hexinfo:" + info.hex()] if salt else []
        out = openssl("kdf", "-binary", "-keylen", str(count), "-kdfopt", "digest:SHA256", "-kdfopt",
                      "hexkey:" + key.hex(), *words, "HKDF")
        put("hkdf", f"hkdf-{i}", OPENSSL, key=key, salt=salt, info=info, out=out)


# ---- pyca/cryptography ----

def gcm():
    for i, (plain_len, aad_len) in enumerate(((0, 0), (16, 0), (60, 20)), 1):
        key, nonce, aad, plain = map(secrets.token_bytes, (32, 12, aad_len, plain_len))
        put("gcm", f"gcm-{i}", PYCA, key=key, nonce=nonce, aad=aad, plain=plain,
            cipher=AESGCM(key).encrypt(nonce, plain, aad))


# ---- RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-GCM, mode base ----

def extract(suite, salt, label, ikm):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def expand(suite, prk, label, info, count):
    """No more than one block is wanted here."""
    text = count.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, text + b"\x01", "sha256")[:count]


def aead_of(aead, dh, kem_context, info):
    """The cipher and its first nonce: 4.1, then 5.1."""
    kem = b"KEM\x00\x20"
    shared = expand(kem, extract(kem, b"", b"eae_prk", dh), b"shared_secret", kem_context, 32)
    suite = b"HPKE\x00\x20\x00\x01\x00" + bytes([aead])
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    key = expand(suite, secret, b"key", context, 16 * aead)
    return AESGCM(key), expand(suite, secret, b"base_nonce", context, 12)


def hpke_rows():
    info, own = b"Cardferry", X25519PrivateKey.generate()
    public = own.public_key().public_bytes_raw()
    keys = {"skR": own.private_bytes_raw(), "pkR": public}
    for aead, bits in ((1, 128), (2, 256)):
        ephemeral, aad = X25519PrivateKey.generate(), b"additional"
        enc = ephemeral.public_key().public_bytes_raw()
        box, nonce = aead_of(aead, ephemeral.exchange(own.public_key()), enc + public, info)
        put("hpke", f"hpke-{bits}", OWN, aead=aead, info=info, skE=ephemeral.private_bytes_raw(), **keys, aad=aad,
            plain=TEXT, cipher=enc + box.encrypt(nonce, TEXT, aad))
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    sealed = suite.encrypt(TEXT, own.public_key(), info)
    enc = sealed[:32]
    box, nonce = aead_of(2, own.exchange(X25519PublicKey.from_public_bytes(enc)), enc + public, info)
    assert box.decrypt(nonce, sealed[32:], b"") == TEXT
    put("hpke", "hpke-256-open", PYCA, aead=2, info=info, **keys, aad=b"", plain=TEXT, cipher=sealed)


for make in (ciphers, hashes, hkdf, gcm, hpke_rows):
    make()
print("[\n " + ",\n ".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]")
