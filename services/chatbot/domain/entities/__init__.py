"""What a message names: order numbers, products, days, amounts of money, reasons. Flows fill their slots from it."""

from services.chatbot.domain.entities.finder import Entities as Entities
from services.chatbot.domain.entities.finder import find as find
