"""What leaves the desk once a change was committed: live events, webhooks, exports, the digest."""

from desk.outgoing.digest import Digest, DigestDayRecord, Digests
from desk.outgoing.events import DeskEvents
from desk.outgoing.export import Export, ExportFormat
from desk.outgoing.outbox import Dispatcher
from desk.outgoing.training import TrainingExport
from desk.outgoing.webhooks import DeliveryRecord, WebhookRecord, Webhooks

__all__ = [
    "DeliveryRecord",
    "DeskEvents",
    "Digest",
    "DigestDayRecord",
    "Digests",
    "Dispatcher",
    "Export",
    "ExportFormat",
    "TrainingExport",
    "WebhookRecord",
    "Webhooks",
]
