"""Mail about mail: delivery reports (RFC 3464) and their older forms, feedback reports (RFC 5965), receipts (RFC 8098)."""

import re
from typing import Final

from triaged.ingest import parameters
from triaged.ingest.headers import message_ids, one_line
from triaged.message import Message

_READ: Final = 200_000  # characters of a report that are looked at
_OPENING: Final = 3_000  # a report says so at its beginning
_NAMED: Final = 50
_STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status", "message/feedback-report"})
_RECEIPT_TYPES: Final = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_DAEMON: Final = re.compile(
    r"mailer[-_.]?daemon|mail[-_.]?daemon|post[-_]?master|poostmaster|mail delivery (?:sub)?system|mail deliver system|mdaemon"
    r"|bounce[-_]?notification|interscan notification",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"\breturned mail|returned to sender|returning (?:message )?to sender|undeliver|failure notice"
    r"|delivery (?:failure|failed|has failed)|delivery status notification|failure delivery|delivery notification"
    r"|could not (?:be delivered|send)|mail (?:system error|failure)"
    r"|message delivery has failed|mail failed|error sending your mail|non remis|no entregado|no se pudo entregar|не доставлено"
    r"|nie dostarczon|退信|无法送达|無法傳遞|전송 실패|delivery has been delayed|nondeliverable|loop alert",
    re.IGNORECASE,
)
_TEXT: Final = re.compile(
    r"this is the (?:qmail-send|postfix|dragonfly|mailer-daemon)|(?:could|can) ?not be delivered|(?:was|were) not delivered"
    r"|unable to deliver|delivery (?:to the following|failed|failure)|failed permanently|permanent (?:fatal )?errors?"
    r"|transcript of session follows|trouble delivering|undeliverable|returned to sender"
    r"|created automatically by (?:the )?(?:mail|smtp)|no such user|invalid user"
    r"|automatically generated delivery status|failure reasons|message log follows|error occurred while trying to deliver"
    r"|not able to deliver|user unknown|mailbox (?:unavailable|full)|save to the following address book|送信できませんでした",
    re.IGNORECASE,
)
_COMPLAINT: Final = re.compile(r"complaint about message from ", re.IGNORECASE)  # Outlook.com's junk mail reports
_ACTION: Final = re.compile(r"^Action:[ \t]*(\w{1,20})", re.IGNORECASE | re.MULTILINE)
_WARNING: Final = re.compile(r"\(delay\)|\bdelayed\b|\bwarning\b", re.IGNORECASE)
_RECIPIENT: Final = re.compile(
    r"^(?:Final-Recipient|Original-Recipient|X-Actual-Recipient|Removal-Recipient|Original-Rcpt-To):"
    r"[ \t]*(?:[\w-]{1,20};)?[ \t]*<?([^\s<>;]{1,64}@[^\s<>;]{1,255})",
    re.IGNORECASE | re.MULTILINE,
)
_LISTED: Final = re.compile(r"(?<![^\s<>:;,()\"'])[^\s<>:;,()\"'@]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ID_LINE: Final = re.compile(r"^[ \t>]{0,8}Message-ID:[ \t]*(<[^<>\s]{1,996}>)", re.IGNORECASE | re.MULTILINE)


def is_receipt(message: Message) -> bool:
    """Tell whether a mail is a disposition notification ("your mail was read", RFC 8098) or another kind of report."""
    content = parameters.parse(message.header("content-type"))
    if content.value != "multipart/report":
        return False
    return content["report-type"].lower() == "disposition-notification" or bool(_types(message) & _RECEIPT_TYPES)


def bounce_signs(message: Message) -> str:
    """Return in words why a mail is a bounce or a feedback report; "" when it is none.

    A report's structure decides alone. Else two signs are needed, one of them that no person sent it, so that somebody who
    writes about a bounce, or passes one on, is never taken for one.
    """
    content = parameters.parse(message.header("content-type"))
    if content.value == "multipart/report" and not is_receipt(message):
        return f"it is a report ({content['report-type'] or 'of no named type'})"
    daemon = _DAEMON.search(f"{message.sender.name} {message.sender.address.partition('@')[0]}") is not None
    nobody = message.return_path is not None and _is_nobody(message.return_path)
    subject = _SUBJECT.search(message.subject) is not None
    if _types(message) & _STATUS_TYPES and (daemon or nobody or subject):
        return "it holds a delivery report"
    if _COMPLAINT.match(message.subject) and message.sender.address.lower() == "staff@hotmail.com":
        return "it is a feedback report of Outlook.com"
    failed = bool(message.header("x-failed-recipients"))
    if not (failed or daemon or nobody):
        return ""
    says_so = subject or _TEXT.search(f"{message.text[:_OPENING]}\n{message.quoted[:_OPENING]}") is not None
    if failed and (daemon or nobody or says_so):
        return "it names failed recipients (X-Failed-Recipients)"
    if daemon and (nobody or says_so):
        return "a mail server's own address sends it, and it says that a mail was not delivered"
    if nobody and says_so:
        return "its envelope names no sender, and it says that a mail was not delivered"
    return ""


def _types(message: Message) -> set[str]:
    return {attachment.content_type for attachment in message.attachments}


def _is_nobody(return_path: str) -> bool:
    return not return_path or return_path.partition("@")[0].lower() in ("mailer-daemon", "postmaster")


def is_final(message: Message) -> bool:
    """Tell whether a bounce says that the mail will never arrive; a warning of delay and a success report do not."""
    actions = {action.lower() for action in _ACTION.findall(message.quoted[:_READ])}
    if actions:
        return "failed" in actions
    return _WARNING.search(message.subject) is None


def named(message: Message) -> tuple[str, ...]:
    """Return the Message-IDs of the mail that came back, and the recipients that it did not reach, as far as they are named."""
    report = "\n".join((message.quoted[:_READ], message.text[:_READ], message.signature[:_READ]))
    ids = [*message.in_reply_to, *message.references, *(one_line(one) for one in _ID_LINE.findall(report))]
    recipients = [one for one in re.split(r"[\s,;]+", message.header("x-failed-recipients")) if "@" in one]
    recipients = recipients or _RECIPIENT.findall(report) or _listed(message)
    ids += message_ids(message.header("x-original-message-id"))
    return tuple(dict.fromkeys([*ids[:_NAMED], *(one.lower().strip("<>") for one in recipients[:_NAMED])]))


def _listed(message: Message) -> list[str]:
    """Find the addresses that a report without structure speaks of: those at its beginning that are not ours."""
    ours = {address.address.lower() for address in (*message.to, message.sender)}
    opening = f"{message.text[:_OPENING]}\n{message.quoted[:_OPENING]}"
    return [one for one in _LISTED.findall(opening) if one.lower() not in ours][:1]
