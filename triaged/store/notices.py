"""What we write to reviewers beside digests, kept with the delivery that sends it: a crash loses none and doubles none."""

from sqlalchemy import Connection, insert, select

from triaged.message import Notice
from triaged.store.tables import NOTICES


def keep(db: Connection, key: str, notice: Notice) -> bool:
    """Keep the text of a delivery; False when there is one under this key already."""
    if db.scalar(select(NOTICES.c.key).where(NOTICES.c.key == key)) is not None:
        return False
    values = {"subject": notice.subject, "text": notice.text, "html": notice.html}
    db.execute(insert(NOTICES).values(key=key, reply_to=notice.reply_to, answers=notice.answers, **values))
    return True


def load(db: Connection, key: str) -> Notice | None:
    """Return the text of a delivery; None if it has none."""
    row = db.execute(select(NOTICES).where(NOTICES.c.key == key)).mappings().one_or_none()
    if row is None:
        return None
    return Notice(row["subject"], row["text"], row["html"], row["reply_to"], row["answers"])
