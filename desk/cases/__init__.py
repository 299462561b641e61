"""What people do with a case: one module a kind of work, each method one transaction."""

from desk.cases.claims import Claims
from desk.cases.closing import Closing
from desk.cases.comments import CommentRecord, Comments
from desk.cases.editing import Editing
from desk.cases.joining import Joining
from desk.cases.notices import NoticeRecord, Notices
from desk.cases.opinions import Judgement, OpinionRecord, Opinions
from desk.cases.publishing import PublicReport, Publishing
from desk.cases.reading import CaseDetail, Reading, SightingRecord
from desk.cases.records import CaseRecord

__all__ = [
    "CaseDetail",
    "CaseRecord",
    "Claims",
    "Closing",
    "CommentRecord",
    "Comments",
    "Editing",
    "Joining",
    "Judgement",
    "NoticeRecord",
    "Notices",
    "OpinionRecord",
    "Opinions",
    "PublicReport",
    "Publishing",
    "Reading",
    "SightingRecord",
]
