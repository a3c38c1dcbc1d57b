"""SSH key pairs of users: the part of the key-pair service that clients of notebooks need.

Times are milliseconds here as everywhere. A private key is in one answer only: to the request that made it.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.fields import Count, Int32, Millis, about

KeypairType = Literal["ssh", "x509"]
KeypairScope = Literal["user", "domain"]
KeypairName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_-]{1,255}\Z")]
KeypairDescription = Annotated[str, Meta(max_length=255, pattern=r"^[^<>]*\Z")]


class CreateKeypairAction(Struct, frozen=True, kw_only=True):
    """A key pair to make, or to import where its public key is given."""

    name: Annotated[KeypairName, about("Name, unique for each user.")]
    type: Annotated[KeypairType, about("Kind; only ssh is available.", default="ssh")] | UnsetType = UNSET
    public_key: (
        Annotated[str, Meta(max_length=16_384), about("Public key to import, as one line of OpenSSH.")]
        | UnsetType
    ) = UNSET
    scope: (
        Annotated[KeypairScope, about("Whose it is; only user is available.", default="user")] | UnsetType
    ) = UNSET
    user_id: Annotated[str, about("Owner; the caller.")] | UnsetType = UNSET
    key_protection: Annotated[dict[str, Any], about("Keeping of the private key; not available.")] | (
        UnsetType
    ) = UNSET


class CreateKeypairRequestBody(Struct, frozen=True, kw_only=True):
    """Key pair to make or to import."""

    keypair: Annotated[CreateKeypairAction, about("Key pair.")]


class CreateKeypairResp(Struct, frozen=True, kw_only=True):
    """A new key pair."""

    name: Annotated[str, about("Name.")]
    type: Annotated[KeypairType, about("Kind.")]
    public_key: Annotated[str, about("Public key, as one line of OpenSSH.")]
    private_key: Annotated[str, about("Private key, told only now; absent after an import.")] | UnsetType = (
        UNSET
    )
    fingerprint: Annotated[str, about("MD5 of the public key, in pairs of digits.")]
    user_id: Annotated[str, about("Owner.")]

    def __repr__(self) -> str:
        """Keep the private key out of logs and tracebacks."""
        return f"CreateKeypairResp(name={self.name!r}, fingerprint={self.fingerprint!r})"


class CreateKeypairResponse(Struct, frozen=True, kw_only=True):
    """A new key pair."""

    keypair: Annotated[CreateKeypairResp, about("Key pair.")]


class Keypair(Struct, frozen=True, kw_only=True):
    """A key pair in a list."""

    name: Annotated[str, about("Name.")]
    type: Annotated[KeypairType, about("Kind.")]
    scope: Annotated[KeypairScope, about("Whose it is.")]
    public_key: Annotated[str, about("Public key, as one line of OpenSSH.")]
    fingerprint: Annotated[str, about("MD5 of the public key, in pairs of digits.")]
    is_key_protection: Annotated[bool, about("Whether the private key is kept; never.")]
    frozen_state: Annotated[str, about("0: not frozen. Text here.")]


class Keypairs(Struct, frozen=True, kw_only=True):
    """An entry of a list."""

    keypair: Annotated[Keypair, about("Key pair.")]


class KeypairPageInfo(Struct, frozen=True, kw_only=True):
    """Where a list goes on."""

    next_marker: Annotated[str, about("Marker of the next page; absent on the last one.")] | UnsetType = UNSET
    previous_marker: (
        Annotated[str, about("Marker of the page before; absent on the first one.")] | UnsetType
    ) = UNSET
    current_count: Annotated[Count, about("Key pairs of this page.")]


class ListKeypairsResponse(Struct, frozen=True, kw_only=True):
    """Key pairs of the caller, by name."""

    keypairs: Annotated[list[Keypairs], about("Key pairs of this page.")]
    page_info: Annotated[KeypairPageInfo, about("Where the list goes on.")]


class KeypairDetail(Struct, frozen=True, kw_only=True):
    """One key pair."""

    name: Annotated[str, about("Name.")]
    type: Annotated[KeypairType, about("Kind.")]
    scope: Annotated[KeypairScope, about("Whose it is.")]
    public_key: Annotated[str, about("Public key, as one line of OpenSSH.")]
    fingerprint: Annotated[str, about("MD5 of the public key, in pairs of digits.")]
    is_key_protection: Annotated[bool, about("Whether the private key is kept; never.")]
    deleted: Annotated[bool, about("Whether it is deleted; never where it is found.")]
    description: Annotated[str, about("Free text.")]
    user_id: Annotated[str, about("Owner.")]
    create_time: Annotated[Millis, about("Creation time.")]
    update_time: Annotated[Millis, about("Time of the last change.")]
    frozen_state: Annotated[Int32, about("0: not frozen.")]


class ListKeypairDetailResponse(Struct, frozen=True, kw_only=True):
    """One key pair."""

    keypair: Annotated[KeypairDetail, about("Key pair.")]


class UpdateKeypairDescriptionReq(Struct, frozen=True, kw_only=True):
    """What can be changed about a key pair."""

    description: Annotated[KeypairDescription, about("Free text.")]


class UpdateKeypairDescriptionRequestBody(Struct, frozen=True, kw_only=True):
    """Change of a key pair."""

    keypair: Annotated[UpdateKeypairDescriptionReq, about("What is new.")]
