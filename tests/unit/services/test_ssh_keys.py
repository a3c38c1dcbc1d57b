"""Which public keys are taken, and that what is made is a pair."""

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

from nbfleet.services import ssh_keys


def line(private: object) -> str:
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


ED25519 = line(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_what_is_made_is_a_pair() -> None:
    made = ssh_keys.make("laptop")
    private = load_ssh_private_key(made.private_key.encode(), None)
    assert made.public_key == f"{line(private)} laptop"
    assert ssh_keys.checked(made.public_key) == made.public_key
    assert made.private_key not in repr(made)
    assert ssh_keys.make("laptop").private_key != made.private_key


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_curves_are_taken(curve: ec.EllipticCurve) -> None:
    public = line(ec.generate_private_key(curve))
    assert ssh_keys.checked(public) == public


def test_the_size_of_rsa_is_looked_at() -> None:
    public = line(rsa.generate_private_key(65537, 2048))
    assert ssh_keys.checked(public) == public
    with pytest.raises(ssh_keys.BadKey, match="ssh-rsa of 1024 bits"):
        ssh_keys.checked(line(rsa.generate_private_key(65537, 1024)))


def test_a_key_is_kept_as_one_line() -> None:
    assert ssh_keys.checked(f"  {ED25519}   me@home and away \n") == f"{ED25519} me@home and away"
    assert ssh_keys.checked(f"{ED25519}\r\n") == ED25519


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no key"),
        ("ssh-ed25519", "no key"),
        ("ssh-ed25519 AAAA", "ssh-ed25519, not a key"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa"), "ssh-rsa, not a key"),
        (f'command="x" {ED25519}', 'command="x", not a key'),
        (f"{ED25519}\n{ED25519}", "not one line"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", "not one line"),
        (f"{ED25519} {'x' * 256}", "a comment of 256 characters"),
    ],
)
def test_anything_else_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ssh_keys.BadKey) as fault:
        ssh_keys.checked(text)
    assert reason in str(fault.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::Warning")
def test_dsa_is_refused() -> None:
    numbers = dsa.generate_private_key(1024)
    try:
        public = line(numbers)
    except Exception:  # Newer releases of the library cannot even write it.
        pytest.skip("no DSA here")
    with pytest.raises(ssh_keys.BadKey):
        ssh_keys.checked(public)


def test_the_fingerprint_is_that_of_the_cloud() -> None:
    """As `ssh-keygen -l -E md5` tells it."""
    assert load_ssh_public_key(ED25519.encode())
    assert ssh_keys.fingerprint(f"{ED25519} me") == "27:c6:3f:84:be:6f:a4:5e:eb:f9:4d:6e:bd:c8:bb:48"
