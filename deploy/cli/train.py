"""`./rapport train`: models fitted on the shop's own data, registered as versions."""

from __future__ import annotations

import typer

from deploy.cli.broker import towards_the_stack
from services.chatbot.training import answers_command
from services.chatbot.training import command as chatbot
from services.content.training import command as content
from services.profiler.training import command as profiler
from services.profiler.training.text_command import command as text_command
from services.recommender.training import command as recommender
from services.recommender.training import trial_command

app = typer.Typer(no_args_is_help=True, help="Fit models on the shop's own data and register them as versions.")

app.callback()(towards_the_stack)

app.command("segments", help="Cluster customers by what they are after.")(profiler.segments)
app.command("value", help="Churn risk and expected value: BG/NBD and Gamma-Gamma from the orders.")(profiler.value)
app.command("customer-types", help="Named customer types: RFM rules first, corrected labels instead.")(profiler.types)
app.command("sentiment", help="The tone of reviews and chats, from labelled text.")(text_command("sentiment"))
app.command("aspects", help="Which aspect of the shop a clause speaks of, from labelled text.")(text_command("aspects"))
app.command("customer-type-texts", help="Customer types by what customers write, from labelled text.")(
    text_command("customer-type-texts")
)
app.command("intents", help="What customers want of the chatbot, from a shop's own example sentences.")(chatbot.intents)
app.command("answers", help="The words of a quotation that answer, from a shop's questions and answers.")(
    answers_command.answers
)
app.command("copywriter", help="The copywriter's language model (LoRA), on approved and well-performing copy.")(
    content.train
)
app.command("recommender", help="The recommender's sources and its ranker.")(recommender.train)
app.command("recommender-export", help="The recommender's training data as Parquet.")(recommender.export)
app.command("recommender-trial", help="Rankers in the shadow, and an experiment between rankers.")(trial_command.trial)
