"""Makes the engine match the desired state in storage, and keeps it so: idempotent at every line."""

from backend.services.reconciler.context import ReconcilerOptions
from backend.services.reconciler.slots import NetworkPool
from backend.services.reconciler.supervisor import Reconciler

__all__ = ["NetworkPool", "Reconciler", "ReconcilerOptions"]
