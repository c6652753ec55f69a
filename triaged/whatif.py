"""What would happen to a mail if it came now: the whole pipeline without its side effects."""

from datetime import datetime

from triaged.ingest.fingerprint import fingerprint
from triaged.message import Dispatch, Record
from triaged.office import Office
from triaged.pipeline import understand
from triaged.route.plan import Past, Planning, plan


def foresee(octets: bytes, mailbox: str, office: Office, now: datetime) -> Record:
    """Return the record that this mail would get as a new case; touches nothing."""
    message, screening, assessment, decision = understand(octets, mailbox, office, now).parts
    planning = Planning(
        identity=f"{mailbox}:{fingerprint(octets)}",
        reference="(new)",
        screening=screening,
        decision=decision,
        processed_folder=office.mailbox(mailbox).processed,
        labelled=office.mailbox(mailbox).labels,
    )
    deliveries, reasons = plan(planning, office.addresses, Past(), office.limits, office.signer)
    said = {flag.name: flag for flag in assessment.flags}
    return Record(
        reference="(new)",
        mailbox=mailbox,
        message_id=message.message_id,
        received_at=now,
        sender=message.sender,
        subject=message.subject,
        kind=screening.kind,
        language=assessment.language,
        topic=decision.topic,
        confidence=decision.confidence,
        alternatives=tuple(pair for pair in assessment.opinion.ranked if pair[0] != decision.topic)[:3],
        urgency=decision.urgency,
        flags=tuple(said[name] for name in decision.flags if name in said),
        campaign=assessment.campaign,
        departments=decision.departments,
        status=decision.status,
        reasons=decision.because(*reasons).reasons,
        deliveries=tuple(Dispatch(0, 0, delivery, 0, now, now) for delivery in deliveries),
        excerpt=message.text,
        due=office.respond_by(decision, now),
        acknowledge_to=screening.acknowledge_to,
        notes=message.notes,
    )
