"""The recommender's model worker: embeds products and needs, and ranks what comes next in a sequence."""

from __future__ import annotations

from rapport.contracts.worker.v1.sequence_ranker_pb2_grpc import add_SequenceRankerServicer_to_server
from rapport.models.promoted import PromotedModels
from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.worker import Hosted, worker_parts
from services.recommender.learned.names import SEQUENCE, of_tenant
from services.recommender.worker.sasrec.service import RANKER, RankService, SequenceHost


def parts(settings: Settings) -> list[Part]:
    """An encoder, and the sequence model that is promoted, on one device."""

    def sequence(device: DeviceThread) -> Hosted:
        host = SequenceHost(settings.worker, device)
        servicing = (add_SequenceRankerServicer_to_server, RankService(host, settings.worker.max_texts), RANKER)
        if not settings.models.follow:
            return Hosted((host,), servicing, host.health)
        promoted = PromotedModels("recommender-sequence", settings)
        promoted.follow(of_tenant(SEQUENCE, settings.tenant), host.use)
        return Hosted((host, promoted), servicing, host.health)

    return worker_parts(settings, embed=True, more=sequence)
