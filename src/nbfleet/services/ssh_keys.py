"""SSH keys themselves: making a pair, and what of a public key that somebody brings is taken.

No database and no names here. Ed25519 is made, because making it takes no time that others would notice; a
private key leaves this module as the text that is told once.
"""

import hashlib
from base64 import b64decode
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)

RSA_SIZES = (2048, 16_384)  # Bits, from and up to.
RULE = (
    "one line of OpenSSH: ssh-ed25519, ecdsa-sha2-nistp256, -nistp384 or -nistp521, or ssh-rsa of "
    f"{RSA_SIZES[0]} to {RSA_SIZES[1]} bits, then the key and perhaps a comment"
)
_LONGEST_COMMENT = 255


class BadKey(Exception):
    """Not a public key that can be used; the text says why, without the key."""


@dataclass(frozen=True, slots=True)
class Made:
    public_key: str
    private_key: str = field(repr=False)


def make(comment: str) -> Made:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return Made(f"{public.decode()} {comment}", secret.decode())


def checked(text: str) -> str:
    """The public key as it is kept: one line with single spaces; raises BadKey."""
    words = text.strip().split(" ", 2)
    if not text.rstrip("\r\n").isprintable():
        raise BadKey("not one line of plain text")
    if len(words) < 2:
        raise BadKey("no key")
    comment = words[2].strip() if len(words) > 2 else ""
    if len(comment) > _LONGEST_COMMENT:
        raise BadKey(f"a comment of {len(comment)} characters")
    try:
        key = load_ssh_public_key(f"{words[0]} {words[1]}".encode())
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise BadKey(f"{words[0]}, not a key that can be read") from fault
    if isinstance(key, RSAPublicKey) and not RSA_SIZES[0] <= key.key_size <= RSA_SIZES[1]:
        raise BadKey(f"ssh-rsa of {key.key_size} bits")
    if not isinstance(key, RSAPublicKey | Ed25519PublicKey | EllipticCurvePublicKey):
        raise BadKey(words[0])
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return f"{line} {comment}" if comment else line


def fingerprint(public_key: str) -> str:
    """As the cloud tells it: MD5 over the bytes of the key, in pairs of digits. It names a key and proves
    nothing."""
    digits = hashlib.md5(b64decode(public_key.split(" ")[1]), usedforsecurity=False).hexdigest()
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
