#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures, agreements, sealed texts and public keys, right and wrong: ./make_pk.py pk.json (needs the packages
cryptography and the openssl command line).

Keeps the rows of the file that are of another origin and replaces its own, each run with new keys. What a library
makes is made by pyca/cryptography or by the openssl command line. What no library makes (numbers out of range, faults
in the padding, points off the curve) and what has to hit an edge (nonces, points with a chosen x) is made by the
arithmetic of key_arithmetic.py; where the source says so, pyca/cryptography was asked too and judged as the row says.
"""
import json
import secrets
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils

from key_arithmetic import (Curve, digest, digest_info, integer, length, oaep, oid, openssl, pkcs1, pss, sequence, tlv,
                            x963)

DER = serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
HASHES = {"MD5": hashes.MD5(), "SHA-1": hashes.SHA1(), "SHA-256": hashes.SHA256(), "SHA-384": hashes.SHA384(),
          "SHA-512": hashes.SHA512()}
LIBRARY = {"secp256r1": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "secp521r1": ec.SECP521R1(),
           "brainpoolP256r1": ec.BrainpoolP256R1(), "brainpoolP384r1": ec.BrainpoolP384R1(),
           "brainpoolP512r1": ec.BrainpoolP512R1()}
CURVES = {name: Curve(name) for name in LIBRARY}
MARK = " (make_pk.py)"
PYCA = "pyca/cryptography 48" + MARK
OPENSSL = "openssl 3.0 command line" + MARK
OWN = "own arithmetic" + MARK
JUDGED = "own arithmetic, judged by pyca/cryptography 48" + MARK
TEXT, OTHER = b"Cardferry", b"Cardferrx"

rows = []


def put(kind, name, source, **fields):
    row = {"type": kind, "id": name, "source": source, **fields}
    rows.append({k: v.hex().upper() if isinstance(v, bytes) else v for k, v in row.items()})


# ---- ECDSA and DSA ----

def library_verifies(public, r, s, name, message):
    """With r and s of any size: DER has room."""
    how = ec.ECDSA(HASHES[name]) if isinstance(public, ec.EllipticCurvePublicKey) else HASHES[name]
    try:
        public.verify(utils.encode_dss_signature(r, s), message, how)
    except InvalidSignature:
        return False
    return True


class Signer:
    """The rows of one key for plain signatures: r and s of `size` bytes each."""

    def __init__(self, name, scheme, hash_name, public, size, source=PYCA):
        self.name, self.scheme, self.hash, self.public, self.size = name, scheme, hash_name, public, size
        self.count = 0
        put("key", name, source, public=public.public_bytes(DER, SPKI))

    def raw(self, comment, signature, valid, message=TEXT, source=OWN):
        self.count += 1
        put("verify", f"{self.name}-{self.count}", source, scheme=self.scheme, digest=self.hash, message=message,
            signature=signature, valid=valid, comment=comment, key=self.name)

    def pair(self, comment, r, s, valid, message=TEXT, source=JUDGED, size=None):
        assert library_verifies(self.public, r, s, self.hash, message) == valid, (self.name, comment)
        self.raw(comment, b"".join(n.to_bytes(size or self.size, "big") for n in (r, s)), valid, message, source)

    def forgeries(self, r, s, order, bits):
        """What is made of a good signature (r, s) of TEXT."""
        wide = (max(r + order, r + (1 << bits)).bit_length() + 7) // 8
        self.pair("n - s for s", r, order - s, self.scheme == "ecdsa")
        self.pair("another message", r, s, False, OTHER)
        self.pair("r + n for r", r + order, s, False, size=max(self.size, ((r + order).bit_length() + 7) // 8))
        self.pair("n - r for r", order - r, s, False)
        self.pair("r + 2^bits for r", r + (1 << bits), s, False, size=wide)
        self.pair("s + n for s", r, s + order, False, size=max(self.size, ((s + order).bit_length() + 7) // 8))
        self.pair("r and s exchanged", s, r, False)
        for comment, a, b in (("r = s = 0", 0, 0), ("r = 0", 0, s), ("s = 0", r, 0), ("r = s = 1", 1, 1),
                              ("r = n", order, s), ("s = n", r, order), ("r = n, s = n - 1", order, order - 1),
                              ("r = s = n - 1", order - 1, order - 1)):
            self.pair(comment, a, b, False)
        good = r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")
        for comment, bad in (("no byte", b""), ("two bytes", b"\x05\x01"), ("s alone is missing", good[:self.size]),
                             ("one byte short", good[:-1]), ("two bytes short", good[1:-1]),
                             ("a zero before it", b"\0" + good), ("a zero behind it", good + b"\0"),
                             ("two zeros behind it", good + bytes(2)),
                             ("r and s with a zero before each", b"\0" + good[:self.size] + b"\0" + good[self.size:]),
                             ("as DER", utils.encode_dss_signature(r, s))):
            self.raw(comment, bad, False)


def as_public(curve, point):
    return ec.EllipticCurvePublicNumbers(*point, LIBRARY[curve.name]).public_key()


def hashed_integer(curve, name, message):
    """FIPS 186-4 6.4: the leftmost bits of the hash."""
    h = digest(name, message)
    return int.from_bytes(h, "big") >> max(0, 8 * len(h) - curve.n.bit_length())


def zeros_in_hash(name):
    """A message whose hash begins with two zeros."""
    return next(m for i in range(1 << 24) if digest(name, m := f"{i}".encode())[:2] == b"\0\0")


def ecdsa_edges(curve, label, name):
    """Signatures whose key is chosen after them, so that the verifier meets an edge."""
    n, e = curve.n, hashed_integer(curve, name, TEXT)
    k = curve.scalar()
    r = curve.times(k)[0] % n

    def row(comment, public, a, b, valid):
        Signer(f"{label}-{comment.replace(' ', '-')}", "ecdsa", name, as_public(curve, public), curve.bytes,
               OWN).pair(comment, a, b, valid)

    row("both halves are the same point", curve.times(e * pow(r, -1, n) % n), r, 2 * e * pow(k, -1, n) % n, True)
    row("the sum is the point at infinity", curve.times(-e * pow(r, -1, n) % n), r, curve.scalar(), False)
    row("s of one", curve.times((k - e) * pow(r, -1, n) % n), r, 1, True)

    def key_for(point, a, b):
        return curve.times(pow(a, -1, n), curve.add(curve.times(b, point), curve.times(n - e % n)))

    s = curve.scalar()
    small = curve.from_x(1)
    row("r of one byte", key_for(small, small[0], s), small[0], s, True)
    large = curve.from_x(n + 1) if n < curve.p else curve.from_x(n - 1, -1)
    row("x as large as n", key_for(large, large[0] % n, s), large[0] % n, s, True)


def ecdsa(curve_name, name):
    curve, label = CURVES[curve_name], f"ecdsa-{curve_name}-{name}"
    private = ec.generate_private_key(LIBRARY[curve_name])
    signer = Signer(label, "ecdsa", name, private.public_key(), curve.bytes)
    signed = {m: utils.decode_dss_signature(private.sign(m, ec.ECDSA(HASHES[name])))
              for m in (TEXT, b"", zeros_in_hash(name))}
    for message, (r, s) in signed.items():
        signer.pair("valid" if message == TEXT else "no message" if not message else "hash begins with zeros", r, s,
                    True, message, PYCA)
    signer.forgeries(*signed[TEXT], curve.n, curve.p.bit_length())
    other = "SHA-256" if name != "SHA-256" else "SHA-384"
    r, s = utils.decode_dss_signature(private.sign(TEXT, ec.ECDSA(HASHES[other])))
    signer.pair("signed over " + other, r, s, False, source=PYCA)
    ecdsa_edges(curve, label, name)


def dsa_rows(bits, name):
    private = dsa.generate_private_key(bits)
    signer = Signer(f"dsa-{bits}-{name}", "dsa", name, private.public_key(), 32)
    q = private.private_numbers().public_numbers.parameter_numbers.q
    for message in (TEXT, b"", zeros_in_hash(name)):
        r, s = utils.decode_dss_signature(private.sign(message, HASHES[name]))
        signer.pair("valid", r, s, True, message, PYCA)
    r, s = utils.decode_dss_signature(private.sign(TEXT, HASHES[name]))
    signer.forgeries(r, s, q, 256)


# ---- RSA signatures ----

class RsaSigner:
    def __init__(self, bits):
        self.name, self.bits, self.size = f"rsa-{bits}", bits, bits // 8
        self.private = rsa.generate_private_key(65537, bits)
        self.count = {}
        numbers = self.private.private_numbers()
        self.n, self.d = numbers.public_numbers.n, numbers.d
        put("key", self.name, PYCA, public=self.private.public_key().public_bytes(DER, SPKI))

    def of(self, encoded):
        return pow(int.from_bytes(encoded, "big"), self.d, self.n).to_bytes(self.size, "big")

    def library_verifies(self, scheme, name, signature, message):
        pss_of = padding.PSS(padding.MGF1(HASHES[name]), HASHES[name].digest_size)
        try:
            self.private.public_key().verify(signature, message, padding.PKCS1v15() if scheme == "pkcs1" else pss_of,
                                             HASHES[name])
        except InvalidSignature:
            return False
        return True

    def put(self, scheme, name, comment, signature, valid, message=TEXT, source=JUDGED):
        if source != OWN:
            assert self.library_verifies(scheme, name, signature, message) == valid, (self.name, scheme, comment)
        count = self.count[scheme] = self.count.get(scheme, 0) + 1
        put("verify", f"{self.name}-{scheme}-{count}", source, scheme=scheme, digest=name, message=message,
            signature=signature, valid=valid, comment=comment, key=self.name)

    def lengths(self, scheme, name, sign):
        """What is made of good signatures."""
        good = sign(TEXT)
        beyond = next(v for i in range(1 << 16) if
                      (v := int.from_bytes(sign(m := b"%d" % i), "big") + self.n).bit_length() <= self.bits)
        self.put(scheme, name, "n added", beyond.to_bytes(self.size, "big"), False, m)
        shorter = next(s for i in range(1 << 16) if (s := sign(m := b"%d" % i))[0] == 0)
        self.put(scheme, name, "begins with a zero", shorter, True, m, PYCA)
        # RFC 8017 8.1.2 step 1 refuses it; libcrypto does not under PSS.
        self.put(scheme, name, "its first zero left out", shorter[1:], False, m, OWN)
        for comment, bad in (("no byte", b""), ("one byte short", good[:-1]), ("a zero before it", b"\0" + good),
                             ("a zero behind it", good + b"\0"), ("zeros", bytes(self.size)),
                             ("one", bytes(self.size - 1) + b"\1"), ("n", self.n.to_bytes(self.size, "big")),
                             ("n - 1", (self.n - 1).to_bytes(self.size, "big"))):
            self.put(scheme, name, comment, bad, False)
        self.put(scheme, name, "another message", good, False, OTHER)


def pkcs1_rows(signer, name, more):
    def sign(message):
        return signer.private.sign(message, padding.PKCS1v15(), HASHES[name])
    size, h = signer.size, digest(name, TEXT)
    info = digest_info(name, h)
    for message in (b"", TEXT, secrets.token_bytes(20)):
        signer.put("pkcs1", name, "valid", sign(message), True, message, PYCA)
    assert signer.of(pkcs1(size, info)) == sign(TEXT)
    other = "SHA-512" if name != "SHA-512" else "SHA-256"
    faults = [
        ("length of DigestInfo in the long form", pkcs1(size, b"\x30\x81" + info[1:])),
        ("length of DigestInfo is one too many", pkcs1(size, b"\x30" + bytes([info[1] + 1]) + info[2:])),
        ("zeros behind DigestInfo", pkcs1(size, info + bytes(20))),
        ("zeros behind DigestInfo, counted in it", pkcs1(size, b"\x30" + bytes([info[1] + 2]) + info[2:] + bytes(2))),
        ("says MD5, holds " + name, pkcs1(size, digest_info("MD5", h))),
        ("hash of " + other, pkcs1(size, digest_info(other, digest(other, TEXT)))),
        ("says " + other + ", holds " + name, pkcs1(size, digest_info(other, h))),
        ("message instead of its hash", pkcs1(size, digest_info(name, TEXT))),
        ("hash without DigestInfo", pkcs1(size, h)),
        ("padding of encryption", pkcs1(size, info, b"\x00\x02")),
        ("begins with 01 01", pkcs1(size, info, b"\x01\x01")),
        ("padding of zeros", pkcs1(size, info, b"\x00\x01", b"\0")),
        ("padding with one FE", b"\x00\x01\xfe" + pkcs1(size, info)[3:]),
        ("eight bytes of padding, the rest behind", pkcs1(len(info) + 11, info) + b"\xaa" * (size - 11 - len(info))),
        ("hash with its last bit changed", pkcs1(size, digest_info(name, h[:-1] + bytes([h[-1] ^ 1])))),
        ("hash with its first bit changed", pkcs1(size, digest_info(name, bytes([h[0] ^ 0x80]) + h[1:]))),
        ("parameters of the hash are an integer", pkcs1(size, digest_info(name, h, b"\x02\x00"))),
    ]
    for comment, encoded in faults if more else faults[:6]:
        signer.put("pkcs1", name, comment, signer.of(encoded), False)
    signer.put("pkcs1", name, "PSS", signer.of(pss(size, name, h, bytes(len(h)))), False)
    if more:
        signer.lengths("pkcs1", name, sign)


def pss_rows(signer, name, more):
    h, size = digest(name, TEXT), signer.size
    n = len(h)

    def sign(message, salt=n):
        return signer.private.sign(message, padding.PSS(padding.MGF1(HASHES[name]), salt), HASHES[name])
    for message in (b"", TEXT, secrets.token_bytes(20)):
        signer.put("pss", name, "valid", sign(message), True, message, PYCA)
    salt = secrets.token_bytes(n)
    signer.put("pss", name, "valid, salt of zeros", signer.of(pss(size, name, h, bytes(n))), True)
    for count in (0, 1, 20, n - 1, n + 1, size - n - 2):
        signer.put("pss", name, f"salt of {count} bytes", sign(TEXT, count), False, source=PYCA)
    mgf = "SHA-1" if name != "SHA-1" else "SHA-256"
    last = bytes([h[-1] ^ 1])
    faults = [
        ("first byte of the hash changed", pss(size, name, bytes([h[0] ^ 1]) + h[1:], salt)),
        ("last byte of the hash changed", pss(size, name, h[:-1] + last, salt)),
        ("all bits of the hash changed", pss(size, name, bytes(b ^ 0xFF for b in h), salt)),
        ("hash of zeros", pss(size, name, bytes(n), salt)),
        ("last byte of H changed", pss(size, name, h, salt, wrong=1)),
        ("mask made with " + mgf, pss(size, name, h, salt, mgf=mgf)),
        ("02 before the salt", pss(size, name, h, salt, separator=b"\x02")),
        ("zero before the salt", pss(size, name, h, salt, separator=b"\0")),
        ("padding of ones", pss(size, name, h, salt, fill=b"\x01")),
        ("trailer CC", pss(size, name, h, salt, trailer=b"\xcc")),
        ("trailer zero", pss(size, name, h, salt, trailer=b"\0")),
    ]
    tops = (pss(size, name, h, secrets.token_bytes(n), top=0x80) for _ in iter(int, 1))
    faults.append(("top bit set", next(t for t in tops if int.from_bytes(t, "big") < signer.n)))
    for comment, encoded in faults if more else faults[:6]:
        signer.put("pss", name, comment, signer.of(encoded), False)
    signer.put("pss", name, "PKCS #1 v1.5", signer.of(pkcs1(size, digest_info(name, h))), False)
    if more:
        signer.lengths("pss", name, sign)


def rsa_rows():
    signer = RsaSigner(2048)
    pkcs1_rows(signer, "SHA-256", True)
    pss_rows(signer, "SHA-256", True)
    pkcs1_rows(RsaSigner(3072), "SHA-512", False)
    signer = RsaSigner(4096)
    pkcs1_rows(signer, "SHA-384", False)
    pss_rows(signer, "SHA-512", False)


# ---- OAEP ----

def oaep_rows(name):
    private = rsa.generate_private_key(65537, 2048)
    public, size, n = private.public_key().public_numbers(), 256, HASHES[name].digest_size
    label = f"oaep-{name}"
    key = private.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    put("key", label, PYCA, private=key)
    how = padding.OAEP(padding.MGF1(HASHES[name]), HASHES[name], None)
    count = 0

    def row(comment, sealed, valid, plain=TEXT, source=JUDGED):
        nonlocal count
        try:
            judged = private.decrypt(sealed, how) == plain
        except ValueError:
            judged = False
        assert judged == valid, (label, comment)
        count += 1
        put("oaep", f"{label}-{count}", source, digest=name, plain=plain, sealed=sealed, valid=valid, comment=comment,
            key=label)

    def of(encoded):
        return pow(int.from_bytes(encoded, "big"), public.e, public.n).to_bytes(size, "big")

    for plain in (b"", TEXT, secrets.token_bytes(20)):
        row("valid", private.public_key().encrypt(plain, how), True, plain, PYCA)
    with_label = padding.OAEP(padding.MGF1(HASHES[name]), HASHES[name], b"a label")
    row("with a label", private.public_key().encrypt(TEXT, with_label), False, source=PYCA)
    other = "SHA-256" if name != "SHA-256" else "SHA-1"
    with_other = padding.OAEP(padding.MGF1(HASHES[other]), HASHES[other], None)
    row("sealed with " + other, private.public_key().encrypt(TEXT, with_other), False, source=PYCA)
    own = digest(name, b"")
    sealed = (int.from_bytes(of(oaep(size, name, TEXT)), "big") for _ in iter(int, 1))
    beyond = next(c + public.n for c in sealed if (c + public.n) >> 2048 == 0)
    good = of(oaep(size, name, TEXT))
    for comment, encoded, valid in (
            ("seed of zeros", oaep(size, name, TEXT, seed=bytes(n)), True),
            ("seed of ones", oaep(size, name, TEXT, seed=b"\xff" * n), True),
            ("first byte of lHash changed", oaep(size, name, TEXT, l_hash=bytes([own[0] ^ 1]) + own[1:]), False),
            ("last byte of lHash changed", oaep(size, name, TEXT, l_hash=own[:-1] + bytes([own[-1] ^ 1])), False),
            ("lHash of zeros", oaep(size, name, TEXT, l_hash=bytes(n)), False),
            ("lHash of ones", oaep(size, name, TEXT, l_hash=b"\xff" * n), False),
            ("first byte of PS changed", oaep(size, name, TEXT, one=b"\x02"), False),
            ("PS of ones", oaep(size, name, TEXT, one=b"\xff", fill=b"\xff"), False),
            ("PS ends with FF", oaep(size, name, TEXT, separator=b"\xff"), False),
            ("PS ends with zero", oaep(size, name, TEXT, separator=b"\0"), False),
            ("nothing but PS", oaep(size, name, b"", separator=b"\0"), False),
            ("first byte of one", oaep(size, name, TEXT, first=1), False),
            ("mask made with " + other, oaep(size, name, TEXT, mgf=other), False)):
        row(comment, of(encoded), valid)
    for comment, sealed in (("n added", beyond.to_bytes(size, "big")), ("changed", bytes([good[0] ^ 1]) + good[1:]),
                            ("one byte short", good[:-1]), ("a zero before it", b"\0" + good),
                            ("a zero behind it", good + b"\0"), ("no byte", b""), ("zeros", bytes(size)),
                            ("one", bytes(size - 1) + b"\1"), ("n - 1", (public.n - 1).to_bytes(size, "big")),
                            ("ones", b"\xff" * size)):
        row(comment, sealed, False)


# ---- ECDH ----

def zeros_in_y(curve):
    """A point whose y begins with a zero byte, and one whose y ends with one."""
    point, first, last = curve.times(curve.scalar()), None, None
    while first is None or last is None:
        point = curve.add(point, curve.g)
        if point[1] >> (curve.p.bit_length() - 8) == 0:
            first = point
        if point[1] & 0xFF == 0:
            last = point
    return first, last


def ecdh(name):
    curve = CURVES[name]
    p, n, width = curve.p, curve.n, curve.bytes
    count = 0

    def put_row(source, comment, point, scalar, shared, valid):
        nonlocal count
        count += 1
        put("ecdh", f"ecdh-{name}-{count}", source, curve=name, point=point, scalar=scalar, shared=shared, valid=valid,
            comment=comment)

    def good(comment, point, d, extra=b""):
        own = curve.times(d, point)[0]
        shared = ec.derive_private_key(d, LIBRARY[name]).exchange(ec.ECDH(), as_public(curve, point))
        assert shared == curve.put(own)
        put_row(JUDGED, comment, curve.encode(point), extra + d.to_bytes(width, "big"), shared, True)

    def bad(comment, point):
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(LIBRARY[name], point)
            assert point[0] in (2, 3), (name, comment)
        except ValueError:
            pass
        put_row(OWN, comment, point, curve.scalar().to_bytes(width, "big"), b"", False)

    peer = curve.times(curve.scalar())
    good("normal case", peer, curve.scalar())
    good("scalar with a zero before it", peer, curve.scalar(), b"\0")
    for comment, d in (("1", 1), ("2", 2), ("3", 3), ("n - 1", n - 1), ("n - 2", n - 2), ("(n + 1) / 2", (n + 1) // 2),
                       ("a power of two", 1 << (n.bit_length() - 1)), ("ones", (1 << (n.bit_length() - 1)) - 1),
                       ("with a hole of zeros", 1 << (n.bit_length() - 2) | 1)):
        good("scalar " + comment, peer, d)
    for comment, start, step in (("0 or the next above", 0, 1), ("2 or the next above", 2, 1),
                                 ("2^16 or the next above", 1 << 16, 1), ("2^32 or the next above", 1 << 32, 1),
                                 ("2^64 or the next above", 1 << 64, 1), ("2^128 or the next above", 1 << 128, 1),
                                 ("p - 1 or the next below", p - 1, -1), ("p - 3 or the next below", p - 3, -1)):
        point, d = curve.from_x(start, step), curve.scalar()
        good("shared x of " + comment, curve.times(pow(d, -1, n), point), d)
        good("peer's x of " + comment, point, curve.scalar())
    first, last = zeros_in_y(curve)
    good("peer's y begins with zeros", first, curve.scalar())
    good("peer's y ends with zeros", last, curve.scalar())
    good("peer is the generator", curve.g, curve.scalar())
    good("peer is minus the generator", (curve.g[0], p - curve.g[1]), n - 2)

    x, y = peer
    bad("compressed", curve.compress(peer))
    bad("compressed, no such point", b"\x02" + curve.put(curve.not_an_x()))
    bad("hybrid, wrong sign", bytes([7 - y % 2]) + curve.put(x, y))
    bad("y + 1", b"\x04" + curve.put(x, (y + 1) % p))
    bad("x and y exchanged", b"\x04" + curve.put(y, x))
    bad("(0, 0)", b"\x04" + bytes(2 * width))
    bad("(0, 1)", b"\x04" + curve.put(0, 1))
    bad("of order 2 on a curve with another b", b"\x04" + curve.put(x, 0))
    weak, _ = curve.order_three()
    assert not curve.on(weak)
    bad("of order 3 on a curve with another b", b"\x04" + curve.put(*weak))
    small = curve.from_x(1)
    bad("x is not below p", b"\x04" + curve.put(small[0] + p, small[1]))
    bad("x and y are p", b"\x04" + curve.put(p, p))
    bad("no byte", b"")
    bad("the point at infinity", b"\0")
    bad("one byte short", curve.encode(peer)[:-1])
    bad("a byte too many", curve.encode(peer) + b"\0")
    bad("without y", curve.encode(peer)[:1 + width])
    for other in CURVES.values():
        if other is not curve:
            bad("on " + other.name, other.encode(other.times(other.scalar())))


# ---- SubjectPublicKeyInfo ----

EC_PUBLIC = oid("1.2.840.10045.2.1")


def explicit(curve, *, p=None, a=None, b=None, g=None, n=None, h=1):
    """SEC 1 C.2: the curve by its numbers, with some of them others."""
    parts = [integer(1), sequence(oid("1.2.840.10045.1.1"), integer(p or curve.p)),
             sequence(*(tlv(4, curve.put(v)) for v in (curve.a if a is None else a, curve.b if b is None else b))),
             tlv(4, b"\x04" + curve.put(*(g or curve.g))), integer(curve.n if n is None else n)]
    return sequence(*parts, *([integer(h)] if h is not None else []))


def spki(parameters, point, algorithm=EC_PUBLIC, unused=0):
    return sequence(sequence(algorithm, parameters), tlv(3, bytes([unused]), point))


UNKNOWN = ("secp224r1", "secp256k1", "secp224k1", "brainpoolP160r1", "brainpoolP192r1", "brainpoolP224r1",
           "brainpoolP320r1", "brainpoolP160t1", "brainpoolP224t1", "brainpoolP320t1")
KNOWN = ("secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1", "brainpoolP256t1",
         "brainpoolP384t1", "brainpoolP512t1")


def public_by_openssl(name, *more):
    key = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + name, *more)
    return openssl("pkey", "-pubout", "-outform", "DER", data=key)


def wrong_lengths(good):
    inner = good[2:]
    return (("length in the long form", b"\x30\x81" + good[1:]),
            ("length with a zero before it", b"\x30\x82\x00" + good[1:]),
            ("length one too many", b"\x30" + bytes([good[1] + 1]) + inner),
            ("length one too few", b"\x30" + bytes([good[1] - 1]) + inner),
            ("length of 2^32 more", b"\x30\x85\x01\0\0\0" + good[1:]),
            ("length of 2^64 more", b"\x30\x89\x01" + bytes(7) + good[1:]),
            ("length 2^31 - 1", b"\x30\x84\x7f\xff\xff\xff" + inner),
            ("length 2^32 - 1", b"\x30\x84\xff\xff\xff\xff" + inner),
            ("length of no end", b"\x30\x80" + inner + bytes(2)),
            ("length of the algorithm in the long form", b"\x30" + length(good[1] + 1) + b"\x30\x81" + inner[1:]),
            ("a byte behind it", good + b"\0"), ("one byte short", good[:-1]), ("no key in it", b"\x30\0"),
            ("a SET", b"\x31" + good[1:]))


def spki_rows():
    curve = CURVES["secp256r1"]
    count = 0

    def row(comment, public, valid=False, source=OWN):
        nonlocal count
        count += 1
        put("spki", f"spki-{count}", source, public=public, valid=valid, comment=comment)

    peer = curve.times(curve.scalar())
    (x, y), small = peer, curve.from_x(1)
    good = spki(curve.oid, curve.encode(peer))
    assert good == as_public(curve, peer).public_bytes(DER, SPKI)
    row("normal", good, True, JUDGED)
    row("compressed", spki(curve.oid, curve.compress(peer)), True)
    for comment, point in (("y + 1", b"\x04" + curve.put(x, (y + 1) % curve.p)), ("no point", b""),
                           ("the point at infinity", b"\0"), ("(0, 0)", b"\x04" + bytes(64)),
                           ("of order 2 on a curve with another b", b"\x04" + curve.put(x, 0)),
                           ("of order 3 on a curve with another b", b"\x04" + curve.put(*curve.order_three()[0])),
                           ("x is not below p", b"\x04" + curve.put(small[0] + curve.p, small[1])),
                           ("compressed, no such point", b"\x02" + curve.put(curve.not_an_x())),
                           ("hybrid, wrong sign", bytes([7 - y % 2]) + curve.put(x, y)),
                           ("one byte short", curve.encode(peer)[:-1]),
                           ("a byte too many", curve.encode(peer) + b"\0")):
        row(comment, spki(curve.oid, point))
    for name in UNKNOWN:
        row("on " + name, public_by_openssl(name), False, OPENSSL)
    for name in KNOWN:
        row("on " + name, public_by_openssl(name), True, OPENSSL)
    row("explicit parameters", public_by_openssl("P-256", "-pkeyopt", "ec_param_enc:explicit"), False, OPENSSL)
    row("point of P-256 for secp256k1", spki(oid("1.3.132.0.10"), curve.encode(peer)))
    row("point of P-256 for brainpoolP256r1", spki(CURVES["brainpoolP256r1"].oid, curve.encode(peer)))
    row("point of P-256 for FRP256v1", spki(oid("1.2.250.1.223.101.256.1"), curve.encode(peer)))
    weak, b = curve.order_three()
    for comment, parameters, point in (
            ("order negative", explicit(curve, n=-curve.n), peer), ("order 0", explicit(curve, n=0), peer),
            ("order 1", explicit(curve, n=1), peer), ("order cut", explicit(curve, n=curve.n >> 32), peer),
            ("generator (0, 0)", explicit(curve, g=(0, 0)), peer),
            ("generator off the curve", explicit(curve, g=(curve.g[0], curve.g[1] + 1)), peer),
            ("generator is the point", explicit(curve, g=peer), peer),
            ("cofactor -1", explicit(curve, h=-1), peer), ("no cofactor", explicit(curve, h=None), peer),
            ("cofactor 2", explicit(curve, h=2), peer), ("cofactor 0", explicit(curve, h=0), peer),
            ("cofactor n", explicit(curve, h=curve.n), peer), ("another prime", explicit(curve, p=curve.p - 2), peer),
            ("a = 0", explicit(curve, a=0), peer), ("point of order 3", explicit(curve, b=b, g=weak, n=3), weak)):
        row("explicit parameters: " + comment, spki(parameters, curve.encode(point)))
    for comment, public in wrong_lengths(good):
        row(comment, public)
    row("another algorithm", spki(curve.oid, curve.encode(peer), oid("1.2.840.10045.2.77")))
    row("no parameters", spki(b"", curve.encode(peer)))
    row("parameters NULL", spki(tlv(5), curve.encode(peer)))
    row("seven bits unused", spki(curve.oid, curve.encode(peer), unused=7))


# ---- X9.63 ----

def x963_rows():
    for i, (name, shared, info, count) in enumerate((
            ("SHA-1", 32, 0, 20), ("SHA-1", 32, 16, 50), ("SHA-256", 24, 0, 16), ("SHA-256", 32, 16, 32),
            ("SHA-256", 64, 20, 64), ("SHA-384", 48, 0, 48), ("SHA-384", 96, 16, 64), ("SHA-512", 66, 0, 64),
            ("SHA-512", 132, 30, 33)), 1):
        z, text = secrets.token_bytes(shared), secrets.token_bytes(info)
        words = ["-kdfopt", "hexinfo:" + text.hex()] if info else []
        out = openssl("kdf", "-binary", "-keylen", str(count), "-kdfopt", "digest:" + name.replace("-", ""), "-kdfopt",
                      "hexkey:" + z.hex(), *words, "X963KDF")
        assert out == x963(name, z, text, count)
        put("x963", f"x963-{i}", OPENSSL, digest=name, shared=z, info=text, out=out)


def main(path):
    for name, hash_name in (("secp256r1", "SHA-256"), ("secp384r1", "SHA-384"), ("secp521r1", "SHA-512"),
                            ("brainpoolP256r1", "SHA-256"), ("brainpoolP384r1", "SHA-384"),
                            ("brainpoolP512r1", "SHA-512"), ("secp256r1", "SHA-512")):
        ecdsa(name, hash_name)
    dsa_rows(2048, "SHA-256")
    dsa_rows(3072, "SHA-256")
    rsa_rows()
    for name in ("SHA-1", "SHA-256", "SHA-512"):
        oaep_rows(name)
    for name in CURVES:
        ecdh(name)
    spki_rows()
    x963_rows()
    with open(path, encoding="ascii") as file:
        kept = [r for r in json.load(file) if not r["source"].endswith(MARK)]
    with open(path, "w", encoding="ascii") as file:
        file.write("[\n " + ",\n ".join(json.dumps(r, separators=(",", ":")) for r in rows + kept) + "\n]\n")


main(sys.argv[1])
