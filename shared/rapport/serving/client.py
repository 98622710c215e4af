"""Everything a service needs to call its model worker, or another service, in one import."""

from rapport.models.ports import Role
from rapport.serving.channel import PeerChannel, WorkerChannel
from rapport.serving.classifier_client import Classified, ClassifierClient
from rapport.serving.embedded import Embedded
from rapport.serving.encoder_client import EncoderClient
from rapport.serving.generator_client import GeneratorClient, Piece, Turn, collect
from rapport.serving.reader_client import ReaderClient, Span
from rapport.serving.vocabulary import Priority

__all__ = [
    "Classified",
    "ClassifierClient",
    "Embedded",
    "EncoderClient",
    "GeneratorClient",
    "PeerChannel",
    "Piece",
    "Priority",
    "ReaderClient",
    "Role",
    "Span",
    "Turn",
    "WorkerChannel",
    "collect",
]
