"""Ways to reach an instance: browser and SSH.

Two generations of clients read different names for the same thing (`service` and `dev_service`,
`key_pair_names` and `ssh_keys`). Both are here; filling both is the job of whoever builds the answer.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import DevService
from nbfleet.wire.fields import about


class EndpointsRes(Struct, frozen=True, kw_only=True):
    """One way to reach the instance."""

    allowed_access_ips: (
        Annotated[
            list[str],
            Meta(max_length=5),
            about(
                "Public client addresses allowed to use SSH; all are allowed when absent or empty. At "
                "most five."
            ),
        ]
        | UnsetType
    ) = UNSET
    dev_service: Annotated[DevService, about("Same value as service, older name.")] | UnsetType = UNSET
    ssh_keys: (
        Annotated[list[str], about("Names of the SSH key pairs, older name of key_pair_names.")] | UnsetType
    ) = UNSET
    key_pair_names: (
        Annotated[list[str], about("Names of the SSH key pairs; several may be set at once.")] | UnsetType
    ) = UNSET
    service: Annotated[DevService, about("Access method.")] | UnsetType = UNSET
    uri: (
        Annotated[
            str,
            about("Address. NOTEBOOK: the https URL that also appears as url. SSH: ssh://ma-user@HOST:PORT."),
        ]
        | UnsetType
    ) = UNSET


class EndpointsReq(Struct, frozen=True, kw_only=True):
    """Access method to configure. Key pairs and the address list apply to SSH."""

    allowed_access_ips: (
        Annotated[
            list[str],
            Meta(max_length=5),
            about("Public client addresses allowed to use SSH, at most five; all when absent or empty."),
        ]
        | UnsetType
    ) = UNSET
    service: Annotated[DevService, about("Access method.")] | UnsetType = UNSET
    key_pair_names: Annotated[list[str], about("Names of SSH key pairs.")] | UnsetType = UNSET
    dev_service: Annotated[DevService, about("Older name of service.")] | UnsetType = UNSET
    ssh_keys: Annotated[list[str], about("Older name of key_pair_names.")] | UnsetType = UNSET
