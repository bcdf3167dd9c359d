# SPDX-License-Identifier: Apache-2.0
"""Curves, DER and padding in plain integers, for make_pk.py: also what no library would make.

The parameters of the curves are asked of the openssl command line.
"""
import hashlib
import secrets
import subprocess


def openssl(*words, data=b""):
    return subprocess.run(["openssl", *words], input=data, check=True, capture_output=True).stdout


# ---- DER ----

def length(n):
    if n < 0x80:
        return bytes([n])
    body = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag, *parts):
    body = b"".join(parts)
    return bytes([tag]) + length(len(body)) + body


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = []
    for arc in [first * 40 + second, *rest]:
        part = [arc & 0x7F]
        while arc := arc >> 7:
            part.insert(0, 0x80 | arc & 0x7F)
        out += part
    return tlv(6, bytes(out))


def elements(body):
    """The values of the elements of a constructed value, one after the other."""
    while body:
        at, n = 2, body[1]
        if n >= 0x80:
            at += n & 0x7F
            n = int.from_bytes(body[2:at], "big")
        yield body[at:at + n]
        body = body[at + n:]


# ---- curves ----

class Curve:
    """y^2 = x^3 + a x + b over the integers modulo p; a point is a pair, None the one at infinity."""

    def __init__(self, name):
        def number(value):
            return int.from_bytes(value, "big")
        self.name = name
        named = openssl("ecparam", "-name", name, "-outform", "DER")
        self.oid = named
        whole = openssl("ecparam", "-name", name, "-param_enc", "explicit", "-outform", "DER")
        _, field, coefficients, generator, n, _ = elements(next(elements(whole)))
        self.p = number(list(elements(field))[1])
        self.a, self.b = map(number, list(elements(coefficients))[:2])
        self.n = number(n)
        self.bytes = (self.p.bit_length() + 7) // 8
        half = self.bytes
        self.g = number(generator[1:1 + half]), number(generator[1 + half:])

    def add(self, one, two):
        if one is None or two is None:
            return one or two
        (x1, y1), (x2, y2) = one, two
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if one == two:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x = (slope * slope - x1 - x2) % self.p
        return x, (slope * (x1 - x) - y1) % self.p

    def times(self, k, point=None):
        point, out = point or self.g, None
        while k:
            if k & 1:
                out = self.add(out, point)
            point = self.add(point, point)
            k >>= 1
        return out

    def scalar(self):
        return secrets.randbelow(self.n - 1) + 1

    def right_side(self, x):
        return (x * x * x + self.a * x + self.b) % self.p

    def on(self, point):
        return (point[1] * point[1] - self.right_side(point[0])) % self.p == 0

    def from_x(self, x, step=1):
        """The first point whose x is x, x + step and so on."""
        while (y := root(self.right_side(x), self.p)) is None:
            x += step
        return x, y

    def not_an_x(self):
        x = self.scalar()
        while root(self.right_side(x), self.p) is not None:
            x += 1
        return x

    def put(self, *numbers):
        return b"".join(n.to_bytes(self.bytes, "big") for n in numbers)

    def encode(self, point):
        return b"\x04" + self.put(*point)

    def compress(self, point):
        return bytes([2 + point[1] % 2]) + self.put(point[0])

    def order_three(self):
        """A point of order 3 and its b: on the curve that is as this one but for b. Its x is where 2P = -P, that is
        3x^4 + 6ax^2 + 12bx - a^2 = 0, solved for b."""
        while True:
            x = self.scalar()
            b = (self.a * self.a - 3 * x ** 4 - 6 * self.a * x * x) * pow(12 * x, -1, self.p) % self.p
            y = root((x * x * x + self.a * x + b) % self.p, self.p)
            if y:
                return (x, y), b


def root(square, p):
    """The square root modulo p, if there is one (Tonelli and Shanks, for any odd prime)."""
    if square == 0:
        return 0
    if pow(square, (p - 1) // 2, p) != 1:
        return None
    q, twos = p - 1, 0
    while q % 2 == 0:
        q, twos = q // 2, twos + 1
    z = next(z for z in range(2, 1000) if pow(z, (p - 1) // 2, p) == p - 1)
    c, t, out = pow(z, q, p), pow(square, q, p), pow(square, (q + 1) // 2, p)
    while t != 1:
        i, power = 0, t
        while power != 1:
            i, power = i + 1, power * power % p
        b = pow(c, 1 << (twos - i - 1), p)
        twos, c, t, out = i, b * b % p, t * b * b % p, out * b % p
    return out


# ---- hashes and padding ----

def digest(name, data):
    return hashlib.new(name.replace("-", ""), data).digest()


def x963(name, shared, info, count):
    """SEC 1 3.6.1."""
    out, i = b"", 0
    while len(out) < count:
        i += 1
        out += digest(name, shared + i.to_bytes(4, "big") + info)
    return out[:count]


def mgf1(name, seed, count):
    """RFC 8017 B.2.1."""
    out, i = b"", 0
    while len(out) < count:
        out += digest(name, seed + i.to_bytes(4, "big"))
        i += 1
    return out[:count]


def xor(one, two):
    return bytes(a ^ b for a, b in zip(one, two, strict=True))


DIGEST_OIDS = {"MD5": "1.2.840.113549.2.5", "SHA-1": "1.3.14.3.2.26", "SHA-256": "2.16.840.1.101.3.4.2.1",
               "SHA-384": "2.16.840.1.101.3.4.2.2", "SHA-512": "2.16.840.1.101.3.4.2.3"}


def digest_info(name, hashed, null=b"\x05\x00"):
    return sequence(sequence(oid(DIGEST_OIDS[name]), null), tlv(4, hashed))


def pkcs1(size, info, start=b"\x00\x01", fill=b"\xff"):
    """RFC 8017 9.2, around whatever is given as DigestInfo."""
    return start + fill * (size - len(info) - 3) + b"\x00" + info


def pss(size, name, hashed, salt, *, mgf=None, separator=b"\x01", fill=b"\x00", top=0, trailer=b"\xbc", wrong=0):
    """RFC 8017 9.1.1 for a modulus of 8 * size bits; what is named after the salt makes it wrong."""
    h = digest(name, bytes(8) + hashed + salt)
    room = size - len(h) - 2 - len(salt)
    db = fill * room + separator + salt
    masked = bytearray(xor(db, mgf1(mgf or name, h, len(db))))
    masked[0] = masked[0] & 0x7F | top
    return bytes(masked) + xor(h, bytes(len(h) - 1) + bytes([wrong])) + trailer


def oaep(size, name, text, *, seed=None, l_hash=None, mgf=None, first=0, fill=b"\x00", one=b"\x00", separator=b"\x01"):
    """RFC 8017 7.1.1; one is the first byte of PS."""
    own = digest(name, b"")
    seed = secrets.token_bytes(len(own)) if seed is None else seed
    ps = one + fill * (size - len(text) - 2 * len(own) - 3)
    db = (own if l_hash is None else l_hash) + ps + separator + text
    masked = xor(db, mgf1(mgf or name, seed, len(db)))
    return bytes([first]) + xor(seed, mgf1(mgf or name, masked, len(seed))) + masked
