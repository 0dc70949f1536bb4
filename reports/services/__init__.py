"""From draft to receipt: one function per change of state, each in one transaction with its journal entry."""

from reports.services.asking import asked, review_ask
from reports.services.draft import denial_support, filing_edit, filing_language, filing_refill, filing_start, preview
from reports.services.freeze import filing_freeze, filing_withdraw
from reports.services.receipts import submission_outcome
from reports.services.review import filing_approve, filing_return, filing_send_to_review
from reports.services.submission import (
    PROOF_MAX_BYTES,
    record_handed_over,
    require_not_on_its_way,
    submission_record,
)

__all__ = [
    "PROOF_MAX_BYTES",
    "asked",
    "denial_support",
    "filing_approve",
    "filing_edit",
    "filing_freeze",
    "filing_language",
    "filing_refill",
    "filing_return",
    "filing_send_to_review",
    "filing_start",
    "filing_withdraw",
    "preview",
    "record_handed_over",
    "require_not_on_its_way",
    "review_ask",
    "submission_outcome",
    "submission_record",
]
