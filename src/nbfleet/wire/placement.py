"""Where and as whom an instance runs: pool, node rules, container user and networks.

Types only; an installation without dedicated pools or user networks refuses them in the service.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import AffinityOperator, PublicNetworkType
from nbfleet.wire.fields import Int32, about


class Pool(Struct, frozen=True, kw_only=True):
    """Dedicated resource pool of an instance; absent for the public pool."""

    id: Annotated[str, about("Pool id.")] | UnsetType = UNSET
    name: Annotated[str, about("Pool name.")] | UnsetType = UNSET


class AffinityRule(Struct, frozen=True, kw_only=True):
    """One node-label rule."""

    key: (
        Annotated[
            str,
            about(
                "Label key: optional DNS prefix of up to 253 characters and a slash, then a name of up to 63."
            ),
        ]
        | UnsetType
    ) = UNSET
    operator: Annotated[AffinityOperator, about("Comparison.")] | UnsetType = UNSET
    values: Annotated[list[Annotated[str, Meta(max_length=63)]], about("Label values.")] | UnsetType = UNSET
    weight: (
        Annotated[
            Annotated[int, Meta(ge=0, le=100)] | None,
            about("Weight of a preferred rule; null for required rules."),
        ]
        | UnsetType
    ) = UNSET


class AffinityType(Struct, frozen=True, kw_only=True):
    """Node placement rules; dedicated pools only."""

    required_during_scheduling_ignored_during_execution: (
        Annotated[list[AffinityRule], about("Rules that must hold.")] | UnsetType
    ) = UNSET
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[AffinityRule], about("Rules that should hold.")] | UnsetType
    ) = UNSET


class RunUserInfo(Struct, frozen=True, kw_only=True):
    """User that runs the container."""

    uid: Annotated[Int32, about("User id.")] | UnsetType = UNSET
    gid: Annotated[Int32, about("Group id.")] | UnsetType = UNSET
    user_name: Annotated[str, about("User name.")] | UnsetType = UNSET
    group_name: Annotated[str, about("Group name.")] | UnsetType = UNSET


class RunUserRequest(Struct, frozen=True, kw_only=True):
    """User to run the container as."""

    uid: Annotated[Int32, about("User id.")] | UnsetType = UNSET
    gid: Annotated[Int32, about("Group id.")] | UnsetType = UNSET


class UserVpcResponse(Struct, frozen=True, kw_only=True):
    """Network card in a user network."""

    vpc_id: Annotated[str, about("VPC id.")] | UnsetType = UNSET
    subnet_id: Annotated[str, about("Subnet id.")] | UnsetType = UNSET
    security_group_ids: Annotated[list[str], about("Security groups.")] | UnsetType = UNSET
    connect_cidrs: (
        Annotated[
            str, about("Networks reached through the card; a string in responses, an array in requests.")
        ]
        | UnsetType
    ) = UNSET
    port_id: Annotated[list[str], about("Port ids.")] | UnsetType = UNSET
    port_ip: Annotated[str, about("Port address.")] | UnsetType = UNSET
    nat_id: Annotated[str, about("NAT gateway id.")] | UnsetType = UNSET
    eip_id: Annotated[str, about("Public address id.")] | UnsetType = UNSET


class UserVpcRequest(Struct, frozen=True, kw_only=True):
    """Network card in a user network."""

    vpc_id: Annotated[str, about("VPC id.")]
    subnet_id: Annotated[str, about("Subnet id.")]
    security_group_ids: Annotated[list[str], about("Security groups.")]
    connect_cidrs: Annotated[list[str], about("Further networks to reach.")] | UnsetType = UNSET
    nat_id: Annotated[str, about("NAT gateway id.")] | UnsetType = UNSET
    eip_id: Annotated[str, about("Public address id.")] | UnsetType = UNSET


class PublicNetworkConfig(Struct, frozen=True, kw_only=True):
    """Public network of an instance."""

    public_network_type: Annotated[PublicNetworkType, about("Kind of access.")] | UnsetType = UNSET
