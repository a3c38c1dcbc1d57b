"""Small sets of values that have no published name of their own.

Unlike the named enumerations they appear in the served document where they are used.
"""

from typing import Literal

NotebookFeature = Literal["NOTEBOOK"]
SizeClass = Literal["CPU", "GPU"]
PoolBillingMode = Literal["0", "1"]
DriverUpdateStrategy = Literal["force", "idle"]
PoolType = Literal["Dedicate", "Logical"]
PoolScopeState = Literal["Enabling", "Enabled", "EnableFailed", "Disabling", "Disabled"]
DriverState = Literal["Creating", "Upgrading", "Running", "Abnormal"]
StepNumber = Literal[1, 2, 3, 4]
WorkspaceOrder = Literal["asc", "desc"]
WorkspaceSortKey = Literal["name", "update_time", "status"]
PoolKind = Literal["MANAGED", "DEDICATED"]
ClusterScope = Literal["NOTEBOOK", "TRAIN", "INFER"]
PoolCreationState = Literal["created", "failed", "creating"]
ActivityKind = Literal[
    "created", "started", "ready", "create failed", "start failed", "died", "stopped", "auto-stopped"
]
BulkAction = Literal["start", "stop", "delete", "extend", "tag"]
ActionResult = Literal["pending", "done", "skipped", "failed", "cancelled"]
ActionReason = Literal["state", "foreign", "free", "left", "gone", "not allowed", "refused", "fault"]
