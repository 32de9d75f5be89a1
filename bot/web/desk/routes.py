"""All addresses of the desk, each with the action that gets there."""

from __future__ import annotations

from aiohttp import web

from bot import access
from bot.statistics.table_reader import MAX_BYTES
from bot.web.desk import (
    audit,
    broadcasts,
    content,
    exports,
    figures,
    guides,
    imports,
    inbox,
    people,
    report_orders,
    saved_replies,
    settling,
    signing_in,
    talk,
    trends,
)
from bot.web.desk.page_context import PATH, Page, not_found, page

PAGES: tuple[tuple[str, str, access.Action, Page], ...] = (
    ("GET", "/", access.COUNT, figures.today),
    ("POST", "/summary", access.COUNT, figures.switch_summary),
    ("GET", "/districts", access.COUNT, figures.districts),
    ("GET", "/districts/{district}", access.COUNT, figures.district),
    ("GET", "/guides", access.COUNT, guides.overview),
    ("GET", "/map", access.COUNT, trends.show_map),
    ("GET", "/map/{name}.png", access.COUNT, trends.map_picture),
    ("GET", "/trends", access.COUNT, trends.show_trends),
    ("GET", "/trends/{name}.png", access.COUNT, trends.trend_picture),
    ("GET", "/broadcasts", access.SEND, broadcasts.overview),
    ("POST", "/broadcasts", access.SEND, broadcasts.begin),
    ("GET", "/broadcasts/{number}", access.SEND, broadcasts.broadcast),
    ("GET", "/broadcasts/{number}/progress", access.SEND, broadcasts.progress),
    ("POST", "/broadcasts/{number}/draft", access.SEND, broadcasts.keep),
    ("POST", "/broadcasts/{number}/ready", access.SEND, broadcasts.take_ready),
    ("POST", "/broadcasts/{number}/plan", access.SEND, broadcasts.plan),
    ("POST", "/broadcasts/{number}/test", access.SEND, broadcasts.test),
    ("POST", "/broadcasts/{number}/hold", access.SEND, broadcasts.hold_back),
    ("POST", "/broadcasts/{number}/follow-up", access.SEND, broadcasts.follow_up),
    ("POST", "/broadcasts/{number}/release", access.SEND, broadcasts.release),
    ("POST", "/broadcasts/{number}/discard", access.SEND, broadcasts.discard),
    ("POST", "/broadcasts/{number}/approve", access.APPROVE, broadcasts.approve),
    ("POST", "/broadcasts/{number}/pause", access.SEND, broadcasts.pause),
    ("POST", "/broadcasts/{number}/resume", access.SEND, broadcasts.resume),
    ("POST", "/broadcasts/{number}/stop", access.SEND, broadcasts.stop),
    ("POST", "/broadcasts/{number}/again", access.SEND, broadcasts.again),
    ("GET", "/inbox", access.READ_MESSAGES, inbox.overview),
    ("GET", "/inbox/counters", access.READ_MESSAGES, inbox.counters),
    ("GET", "/inbox/answering", access.READ_MESSAGES, inbox.answering),
    ("GET", "/inbox/{number}", access.READ_MESSAGES, talk.talk),
    ("POST", "/inbox/{number}/take", access.ANSWER_MESSAGES, talk.take),
    ("POST", "/inbox/{number}/answer", access.ANSWER_MESSAGES, talk.answer),
    ("POST", "/inbox/{number}/insert", access.ANSWER_MESSAGES, talk.insert),
    ("POST", "/inbox/{number}/note", access.READ_MESSAGES, talk.note),
    ("POST", "/inbox/{number}/label", access.READ_MESSAGES, talk.label),
    ("POST", "/inbox/{number}/hand-over", access.ANSWER_MESSAGES, talk.hand_over),
    ("POST", "/inbox/{number}/close", access.ANSWER_MESSAGES, talk.close),
    ("POST", "/inbox/{number}/reopen", access.ANSWER_MESSAGES, talk.reopen),
    ("POST", "/inbox/{number}/file", access.READ_MESSAGES, talk.take_out),
    ("GET", "/inbox/{number}/same", access.ANSWER_MESSAGES, settling.show_same),
    ("POST", "/inbox/{number}/same", access.ANSWER_MESSAGES, settling.settle),
    ("GET", "/replies", access.ANSWER_MESSAGES, saved_replies.overview),
    ("POST", "/replies", access.ANSWER_MESSAGES, saved_replies.keep),
    ("POST", "/replies/{number}", access.ANSWER_MESSAGES, saved_replies.keep),
    ("POST", "/replies/{number}/delete", access.ANSWER_MESSAGES, saved_replies.delete),
    ("GET", "/content", access.SEE_QUESTIONS, content.overview),
    ("GET", "/content/{article}", access.SEE_QUESTIONS, content.article),
    ("GET", "/exports", access.EXPORT, exports.offer),
    ("POST", "/exports/workbook", access.EXPORT, exports.workbook),
    ("POST", "/exports/table", access.EXPORT, exports.one_table),
    ("POST", "/exports/rows", access.EXPORT_ROWS, exports.rows),
    ("POST", "/exports/report", access.REPORT, exports.report),
    ("POST", "/exports/orders", access.REPORT, report_orders.order),
    ("POST", "/exports/poster", access.POSTER, exports.make_poster),
    ("GET", "/name", access.DESK, people.own_name),
    ("POST", "/name", access.DESK, people.rename_oneself),
    ("GET", "/import", access.IMPORT_FIGURES, imports.overview),
    ("POST", "/import", access.IMPORT_FIGURES, imports.upload),
    ("GET", "/import/{number}", access.IMPORT_FIGURES, imports.draft),
    ("POST", "/import/{number}/mapping", access.IMPORT_FIGURES, imports.change_mapping),
    ("POST", "/import/{number}/take", access.IMPORT_FIGURES, imports.take),
    ("POST", "/import/{number}/discard", access.IMPORT_FIGURES, imports.discard),
    ("POST", "/import/{number}/undo", access.IMPORT_FIGURES, imports.undo),
    ("GET", "/people", access.MANAGE_ROLES, people.overview),
    ("POST", "/people/invite", access.MANAGE_ROLES, people.invite),
    ("POST", "/people/withdraw", access.MANAGE_ROLES, people.withdraw),
    ("POST", "/people/{number}/rename", access.MANAGE_ROLES, people.rename),
    ("POST", "/people/{number}/revoke", access.MANAGE_ROLES, people.revoke),
    ("GET", "/audit", access.READ_AUDIT, audit.audit),
    ("POST", "/out", access.DESK, signing_in.leave),
)
LARGEST_BODY = {"/import": MAX_BYTES + 64_000}  # of forms with a file: the file, and what stands around it
BY_ITSELF = (
    "/broadcasts/{number}/progress",
    "/inbox/counters",
)  # asked for by an open page, which keeps no session alive


def add_desk(app: web.Application) -> None:
    """Add the desk to the web application."""
    app.router.add_get(PATH, _to_the_first_page)
    app.router.add_get(f"{PATH}/in", signing_in.ask)
    app.router.add_get(f"{PATH}/app.webmanifest", signing_in.manifest)
    app.router.add_post(f"{PATH}/in", signing_in.enter)
    for method, address, action, work in PAGES:
        most = LARGEST_BODY.get(address, 0) if method == "POST" else 0
        shown = page(action, work, auto_refresh=address in BY_ITSELF, largest_body=most)
        app.router.add_route(method, PATH + address, shown)
    app.router.add_route("*", f"{PATH}/{{rest:.*}}", page(access.DESK, not_found))


def is_upload(request: web.Request) -> bool:
    """Return True for a form with a file, whose body is read only when it is known who sends it."""
    return request.method == "POST" and request.path.removeprefix(PATH) in LARGEST_BODY


async def _to_the_first_page(request: web.Request) -> web.Response:
    return web.Response(status=303, headers={"Location": f"{PATH}/"})
