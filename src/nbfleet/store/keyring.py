"""Secrets: what is derived from the key file, and how other secrets are sealed with it.

The tokens of a notebook are never stored: they are derived from its id and generation, so that each start
makes the earlier ones worthless. The file is the one thing to keep safe beside the database.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_SALT_BYTES = 16
_NONCE_BYTES = 12
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


class UnreadableKey(Exception):
    """The key file is damaged, or is not the one the secrets were sealed with."""


class Keyring:
    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)
        self._key = hashlib.sha256(key).digest()
        self._passing = AESGCM(hmac.new(self._key, b"passing", hashlib.sha256).digest())

    def notebook_token(self, notebook_id: str, generation: int) -> str:
        """What opens this start of the notebook: 128 bits in the form of a UUID."""
        return str(uuid.UUID(bytes=self._derive("token", notebook_id, generation)[:16]))

    def gateway_cookie(self, notebook_id: str, generation: int) -> str:
        """What the gateway hands a browser in exchange for the token."""
        return self._derive("cookie", notebook_id, generation).hex()

    def instance_secret(self, notebook_id: str, generation: int) -> str:
        """What the server inside demands. Known to the gateway and the runtime only."""
        return self._derive("instance", notebook_id, generation).hex()

    @property
    def fingerprint(self) -> str:
        """Tells one key file from another, and nothing about either."""
        return hmac.new(self._key, b"fingerprint", hashlib.sha256).hexdigest()

    def seal(self, secret: str) -> bytes:
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as fault:
            raise UnreadableKey("The stored secrets were sealed with another key file.") from fault

    def seal_for(self, belonging: bytes, content: bytes) -> bytes:
        """Sealed for a while only: `open_for` gives it back where it belongs to the same."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._passing.encrypt(nonce, content, belonging)

    def open_for(self, belonging: bytes, sealed: bytes) -> bytes:
        try:
            return self._passing.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], belonging)
        except InvalidTag as fault:
            raise UnreadableKey("It was sealed for something else.") from fault

    def _derive(self, purpose: str, notebook_id: str, generation: int) -> bytes:
        message = f"{purpose}\n{notebook_id}\n{generation}".encode()
        return hmac.new(self._key, message, hashlib.sha256).digest()


def load_or_create(path: Path) -> Keyring:
    """The keyring of this file, which is made on first use, readable by its owner only."""
    if not path.exists():
        # Whole under another name first: a crash in between must not leave an empty key file.
        pending = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        _write_key(pending)
        with contextlib.suppress(FileExistsError):
            os.link(pending, path)
        pending.unlink()
    return load(path)


def _write_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())


def successor(path: Path) -> Keyring:
    """A new key, written beside the file that it will replace. One that was never put in place goes."""
    _beside(path).unlink(missing_ok=True)
    _write_key(_beside(path))
    _sync(path.parent)
    return load(_beside(path))


def succeed(path: Path) -> Keyring:
    """Puts the successor in place, if nobody has done so."""
    with contextlib.suppress(FileNotFoundError):
        _beside(path).replace(path)
    _sync(path.parent)
    return load(path)


def waiting_successor(path: Path) -> Keyring | None:
    """What an exchange that was interrupted left beside the file."""
    return load(_beside(path)) if _beside(path).exists() else None


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _sync(directory: Path) -> None:
    """Makes sure that names in it outlast a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(path: Path) -> Keyring:
    try:
        return Keyring(path.read_bytes().strip())
    except ValueError as fault:
        raise UnreadableKey(f"{path} does not hold a key.") from fault


def digest(secret: str) -> bytes:
    """How a random secret is looked up. It has enough entropy to need no salt."""
    return hashlib.sha256(secret.encode()).digest()


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt:{salt.hex()}:{_scrypt(password, salt).hex()}"


def password_matches(password: str, hashed: str) -> bool:
    _, salt, expected = hashed.split(":")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_SCRYPT)
