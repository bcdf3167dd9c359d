#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates for the tests of SCP11: ./make.py >chain.json (needs the package cryptography).

One authority signs the cards' certificates, directly or through a second one; another authority has the same name
and another key. Everything is valid from 2020 to 2040, except what is named "expired" (until 2021).
"""
import datetime
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CURVES = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
}
DER = serialization.Encoding.DER


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, is_ca, until=2040):
    usage = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"], False)
    usage["key_cert_sign" if is_ca else "key_agreement"] = True
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(until, 1, 1))
               .add_extension(x509.KeyUsage(**usage), True))
    if is_ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(DER).hex().upper()


def public(key):
    return key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo).hex().upper()


def scalar(key):
    size = (key.curve.key_size + 7) // 8
    return key.private_numbers().private_value.to_bytes(size, "big").hex().upper()


def main():
    ca, other, second = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    rows = [{
        "id": "authorities",
        "ca": public(ca),
        "other": public(other),
        "second": certificate("second", second, "CA-KLCC", ca, True),
        "second_no_ca": certificate("second", second, "CA-KLCC", ca, False),
    }]
    for curve_name, curve in CURVES.items():
        card, host = ec.generate_private_key(curve), ec.generate_private_key(curve)
        rows.append({
            "id": curve_name,
            "card": scalar(card),
            "certificate": certificate("card", card, "CA-KLCC", ca, False),
            "expired": certificate("card", card, "CA-KLCC", ca, False, 2021),
            "by_other": certificate("card", card, "CA-KLCC", other, False),
            "by_second": certificate("card", card, "second", second, False),
            "host": scalar(host),
            "host_certificate": certificate("host", host, "CA-KLOC", other, False),
        })
    print(json.dumps(rows, indent=1))


main()
