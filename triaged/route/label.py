"""Kind "label": what we made of a mail shows as labels on it in Outlook, Gmail or another mail program."""

from triaged.message import Delivery, Outcome, State
from triaged.route.handoff import Case, Handoff, Labeller, Means, MoveError
from triaged.route.plan import labels_of


class Label:
    """Labels mail by how it stands now, whatever stood when it was planned: so a late or second attempt does no harm."""

    def __init__(self, mark: Labeller) -> None:
        self._mark = mark

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Make topic and state of the record the mail's labels."""
        labels = labels_of(case.record.topic, case.record.status)
        try:
            self._mark(case.record.mailbox, case.uid, labels)
        except MoveError as error:
            return Outcome(State.FAILED if error.permanent else State.PLANNED, str(error))
        return Outcome(State.SENT, f"labelled {' '.join(labels)}")


def open_handoff(means: Means) -> Handoff:
    """Open the kind."""
    return Label(means.mark)
