"""The tables, as numbered migrations that SQLite and PostgreSQL both take.

`{serial}` is an automatic key, `{strict}` closes a table, `{clustered}` one whose rows lie in the order of their key;
each engine fills them in its own way. Times are UTC text of fixed width (see `bot.clock`), days are local dates, so
both sort as text.
"""

from __future__ import annotations

from types import MappingProxyType

# The first tallies of reports made before there were any, by each view and unit.
FILL_TALLIES = tuple(
    "INSERT INTO tallies (view, unit, span, district, name, reports) "  # noqa: S608 - no value in it
    f"SELECT '{view}', '{unit}', {span}, district, {name}, COUNT(*) FROM reports GROUP BY 3, 4, 5"
    for view, name in (
        ("district", "''"),
        ("commune", "commune"),
        ("channel", "channel"),
        ("language", "language"),
        ("source", "source"),
    )
    for unit, span in (("day", "day"), ("month", "substr(day, 1, 7)"), ("year", "substr(day, 1, 4)"))
)

# Name → statements. A migration that has been released is never edited, only followed by another.
MIGRATIONS = MappingProxyType(
    {
        "m001_foundation": (
            """
            CREATE TABLE people (
                id {serial},
                channel TEXT NOT NULL,
                address TEXT NOT NULL,
                language TEXT NOT NULL DEFAULT '',
                source TEXT NOT NULL DEFAULT '',
                created_at TEXT NOT NULL,
                seen_at TEXT NOT NULL,
                gone_at TEXT,
                UNIQUE (channel, address)
            ) {strict}
            """,
            # stage: 0 received, 1 answered (effects and replies stored), 2 delivered
            """
            CREATE TABLE inbox (
                id {serial},
                channel TEXT NOT NULL,
                message_id TEXT NOT NULL,
                address TEXT NOT NULL,
                received_at TEXT NOT NULL,
                stage INTEGER NOT NULL DEFAULT 0,
                body TEXT NOT NULL DEFAULT '',
                replies TEXT NOT NULL DEFAULT '',
                UNIQUE (channel, message_id)
            ) {strict}
            """,
            "CREATE INDEX inbox_unfinished ON inbox (id) WHERE stage < 2",
            "CREATE INDEX inbox_by_person ON inbox (channel, address)",
            "CREATE INDEX inbox_by_age ON inbox (received_at)",
            """
            CREATE TABLE dialogs (
                person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                state TEXT NOT NULL,
                updated_at TEXT NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE reports (
                person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                district TEXT NOT NULL,
                commune TEXT NOT NULL DEFAULT '',
                channel TEXT NOT NULL,
                source TEXT NOT NULL DEFAULT '',
                day TEXT NOT NULL,
                reported_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX reports_by_district ON reports (district, day)",
            """
            CREATE TABLE report_history (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                change TEXT NOT NULL,
                district TEXT NOT NULL,
                commune TEXT NOT NULL DEFAULT '',
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX report_history_by_person ON report_history (person_id)",
            """
            CREATE TABLE consents (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                purpose TEXT NOT NULL,
                wording TEXT NOT NULL,
                given_at TEXT NOT NULL,
                withdrawn_at TEXT
            ) {strict}
            """,
            "CREATE INDEX consents_by_person ON consents (person_id)",
            """
            CREATE TABLE questions (
                id {serial},
                person_id INTEGER REFERENCES people (id) ON DELETE CASCADE,
                channel TEXT NOT NULL,
                language TEXT NOT NULL,
                text TEXT NOT NULL,
                article TEXT NOT NULL DEFAULT '',
                verdict TEXT NOT NULL,
                score REAL NOT NULL,
                helped INTEGER,
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX questions_by_person ON questions (person_id)",
            "CREATE INDEX questions_by_age ON questions (at)",
            """
            CREATE TABLE roles (
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                role TEXT NOT NULL,
                scope TEXT NOT NULL DEFAULT '',
                granted_at TEXT NOT NULL,
                PRIMARY KEY (person_id, role, scope)
            ) {strict}
            """,
            """
            CREATE TABLE invitations (
                code_hash TEXT PRIMARY KEY,
                role TEXT NOT NULL,
                scope TEXT NOT NULL DEFAULT '',
                created_at TEXT NOT NULL,
                expires_at TEXT NOT NULL,
                used_at TEXT
            ) {strict}
            """,
            """
            CREATE TABLE audit (
                id {serial},
                at TEXT NOT NULL,
                actor TEXT NOT NULL,
                action TEXT NOT NULL,
                detail TEXT NOT NULL DEFAULT '',
                hash TEXT NOT NULL
            ) {strict}
            """,
            # state: open, answered
            """
            CREATE TABLE help_requests (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                text TEXT NOT NULL,
                state TEXT NOT NULL DEFAULT 'open',
                at TEXT NOT NULL,
                answered_at TEXT
            ) {strict}
            """,
            "CREATE INDEX help_requests_open ON help_requests (id) WHERE state = 'open'",
            "CREATE INDEX help_requests_by_person ON help_requests (person_id)",
            """
            CREATE TABLE pushes (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                reply TEXT NOT NULL,
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX pushes_by_person ON pushes (person_id)",
            """
            CREATE TABLE chat_events (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                reply TEXT NOT NULL,
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX chat_events_by_person ON chat_events (person_id, id)",
        ),
        "m002_telegram": (
            # values of buttons too long for the platform, behind a short key
            """
            CREATE TABLE choices (
                key TEXT PRIMARY KEY,
                choice TEXT NOT NULL,
                offered_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX choices_by_age ON choices (offered_at)",
        ),
        "m003_zalo": (
            # one poller, one refresher of keys, across processes
            """
            CREATE TABLE leases (
                name TEXT PRIMARY KEY,
                holder TEXT NOT NULL,
                expires_at TEXT NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE credentials (
                name TEXT PRIMARY KEY,
                access TEXT NOT NULL,
                refresh TEXT NOT NULL,
                previous_access TEXT NOT NULL DEFAULT '',
                previous_refresh TEXT NOT NULL DEFAULT '',
                seed TEXT NOT NULL DEFAULT '',
                obtained_at TEXT NOT NULL,
                expires_at TEXT NOT NULL,
                dead TEXT NOT NULL DEFAULT ''
            ) {strict}
            """,
            # interacted_at is the platform's own time; closed: the code with which it refuses messages, or empty
            """
            CREATE TABLE reach (
                person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                interacted_at TEXT NOT NULL,
                sent_since INTEGER NOT NULL DEFAULT 0,
                closed TEXT NOT NULL DEFAULT '',
                quiet_until TEXT NOT NULL DEFAULT ''
            ) {strict}
            """,
            # period: a month such as 2026-11, or 'now' for figures that only have a present
            """
            CREATE TABLE usage (
                channel TEXT NOT NULL,
                period TEXT NOT NULL,
                kind TEXT NOT NULL,
                amount INTEGER NOT NULL,
                PRIMARY KEY (channel, period, kind)
            ) {strict}
            """,
            # content is base64, the one way of writing bytes that both engines take as text
            """
            CREATE TABLE pictures (
                key TEXT PRIMARY KEY,
                content TEXT NOT NULL,
                media_type TEXT NOT NULL,
                expires_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX pictures_by_age ON pictures (expires_at)",
            """
            CREATE TABLE links (
                person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                circle TEXT NOT NULL,
                linked_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX links_by_circle ON links (circle)",
            """
            CREATE TABLE link_codes (
                code_hash TEXT PRIMARY KEY,
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                expires_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX link_codes_by_person ON link_codes (person_id)",
            """
            CREATE TABLE link_guesses (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX link_guesses_by_person ON link_guesses (person_id, at)",
        ),
        "m010_tallies": (
            "ALTER TABLE reports ADD COLUMN language TEXT NOT NULL DEFAULT ''",
            """
            UPDATE reports SET language = COALESCE((SELECT p.language FROM people p WHERE p.id = reports.person_id), '')
            """,
            # which steps of the funnel the person took, one bit each
            "ALTER TABLE people ADD COLUMN steps INTEGER NOT NULL DEFAULT 0",
            "CREATE INDEX people_by_source ON people (source) WHERE source <> ''",
            # view: what name is (a commune, a channel …); unit: whether span is a day, a month or a year
            """
            CREATE TABLE tallies (
                view TEXT NOT NULL,
                unit TEXT NOT NULL,
                span TEXT NOT NULL,
                district TEXT NOT NULL,
                name TEXT NOT NULL,
                reports INTEGER NOT NULL,
                PRIMARY KEY (view, unit, span, district, name)
            ) {clustered}
            """,
            *FILL_TALLIES,
            """
            CREATE TABLE funnel (
                unit TEXT NOT NULL,
                span TEXT NOT NULL,
                step TEXT NOT NULL,
                channel TEXT NOT NULL,
                source TEXT NOT NULL,
                people INTEGER NOT NULL,
                PRIMARY KEY (unit, span, step, channel, source)
            ) {clustered}
            """,
            # district is the province's id for a figure of the whole province
            """
            CREATE TABLE official_figures (
                day TEXT NOT NULL,
                district TEXT NOT NULL,
                phones INTEGER NOT NULL,
                imported_at TEXT NOT NULL,
                PRIMARY KEY (day, district)
            ) {strict}
            """,
        ),
        "m060_simulations": (
            # a row for ever in a database whose counts are made up
            """
            CREATE TABLE simulations (
                id {serial},
                seed INTEGER NOT NULL,
                people INTEGER NOT NULL,
                made_at TEXT NOT NULL
            ) {strict}
            """,
        ),
        "m061_desk": (
            # keys and sessions by their hash
            """
            CREATE TABLE desk_links (
                key_hash TEXT PRIMARY KEY,
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                expires_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX desk_links_by_person ON desk_links (person_id)",
            """
            CREATE TABLE desk_sessions (
                id_hash TEXT PRIMARY KEY,
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                seen_at TEXT NOT NULL,
                expires_at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX desk_sessions_by_person ON desk_sessions (person_id)",
        ),
        "m040_broadcasts": (
            # state: draft, planning, planned, waiting (for approval), scheduled, running, paused, stopped, done;
            # audience and plan are JSON; texts too, by language, as the officer wrote them or from the ready text
            """
            CREATE TABLE broadcasts (
                id {serial},
                series INTEGER NOT NULL DEFAULT 0,
                made_by TEXT NOT NULL,
                audience TEXT NOT NULL,
                texts TEXT NOT NULL DEFAULT '{{}}',
                ready TEXT NOT NULL DEFAULT '',
                confirmed_by TEXT NOT NULL DEFAULT '',
                state TEXT NOT NULL DEFAULT 'draft',
                reason TEXT NOT NULL DEFAULT '',
                plan TEXT NOT NULL DEFAULT '{{}}',
                approved_by TEXT NOT NULL DEFAULT '',
                starts_at TEXT NOT NULL DEFAULT '',
                weekly_until TEXT NOT NULL DEFAULT '',
                made_at TEXT NOT NULL,
                changed_at TEXT NOT NULL,
                began_at TEXT NOT NULL DEFAULT '',
                ended_at TEXT NOT NULL DEFAULT ''
            ) {strict}
            """,
            "CREATE INDEX broadcasts_open ON broadcasts (state, id) WHERE state NOT IN ('stopped', 'done')",
            # what is sent, frozen with the people: one text a language and district
            """
            CREATE TABLE broadcast_texts (
                broadcast_id INTEGER NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
                language TEXT NOT NULL,
                district TEXT NOT NULL,
                text TEXT NOT NULL,
                PRIMARY KEY (broadcast_id, language, district)
            ) {strict}
            """,
            # state: planned, claimed, sent, failed, gone, over_quota, unknown, skipped; holder: which sender claimed it
            """
            CREATE TABLE deliveries (
                id {serial},
                broadcast_id INTEGER NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                channel TEXT NOT NULL,
                language TEXT NOT NULL,
                district TEXT NOT NULL DEFAULT '',
                paid INTEGER NOT NULL DEFAULT 0,
                state TEXT NOT NULL DEFAULT 'planned',
                reason TEXT NOT NULL DEFAULT '',
                tries INTEGER NOT NULL DEFAULT 0,
                holder TEXT NOT NULL DEFAULT '',
                at TEXT NOT NULL DEFAULT '',
                UNIQUE (person_id, broadcast_id)
            ) {strict}
            """,
            "CREATE INDEX deliveries_by_state ON deliveries (broadcast_id, state, channel, id)",
            # message: the platform's id of the progress message where it can be edited; shown: the last per cent told
            """
            CREATE TABLE broadcast_watchers (
                broadcast_id INTEGER NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                message TEXT NOT NULL DEFAULT '',
                shown INTEGER NOT NULL DEFAULT -1,
                PRIMARY KEY (broadcast_id, person_id)
            ) {strict}
            """,
            "CREATE INDEX broadcast_watchers_by_person ON broadcast_watchers (person_id)",
        ),
        "m050_conversations": (
            # empty: district for the province, waiting_since when an officer spoke last, closed_at while open
            """
            CREATE TABLE conversations (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                kind TEXT NOT NULL,
                district TEXT NOT NULL DEFAULT '',
                question TEXT NOT NULL DEFAULT '',
                officer_id INTEGER REFERENCES people (id) ON DELETE SET NULL,
                opened_at TEXT NOT NULL,
                due_at TEXT NOT NULL,
                waiting_since TEXT NOT NULL DEFAULT '',
                spoke_at TEXT NOT NULL,
                closed_at TEXT NOT NULL DEFAULT ''
            ) {strict}
            """,
            "CREATE INDEX conversations_open ON conversations (due_at) WHERE closed_at = ''",
            "CREATE INDEX conversations_by_person ON conversations (person_id)",
            "CREATE INDEX conversations_by_officer ON conversations (officer_id)",
            """
            CREATE TABLE conversation_messages (
                id {serial},
                conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
                author TEXT NOT NULL,
                officer_id INTEGER REFERENCES people (id) ON DELETE SET NULL,
                text TEXT NOT NULL,
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX conversation_messages_by_conversation ON conversation_messages (conversation_id, id)",
            "CREATE INDEX conversation_messages_by_officer ON conversation_messages (officer_id)",
            # What waited before is overdue at once: nobody promised a day for it.
            """
            INSERT INTO conversations
                (person_id, kind, district, opened_at, due_at, waiting_since, spoke_at, closed_at)
            SELECT h.person_id, 'help', COALESCE(r.district, ''), h.at, h.at,
                CASE WHEN h.state = 'open' THEN h.at ELSE '' END, h.at, COALESCE(h.answered_at, '')
            FROM help_requests h LEFT JOIN reports r ON r.person_id = h.person_id ORDER BY h.id
            """,
            """
            INSERT INTO conversation_messages (conversation_id, author, text, at)
            SELECT c.id, 'citizen', h.text, h.at
            FROM help_requests h JOIN conversations c ON c.person_id = h.person_id AND c.opened_at = h.at ORDER BY h.id
            """,
            "DROP TABLE help_requests",
            # not_before: the hour from which it may leave, empty for at once
            "ALTER TABLE pushes ADD COLUMN not_before TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE pushes ADD COLUMN about TEXT NOT NULL DEFAULT ''",
        ),
        "m070_backups": (
            # how far a move into this database has come, table by table; empty unless one is under way
            """
            CREATE TABLE moves (
                table_name TEXT PRIMARY KEY,
                source TEXT NOT NULL,
                last_key TEXT NOT NULL,
                finished INTEGER NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE backups (
                id {serial},
                made_at TEXT NOT NULL,
                file TEXT NOT NULL,
                bytes INTEGER NOT NULL
            ) {strict}
            """,
        ),
        "m051_audit_head": (
            # the hash of the line written last, in the only row, so that cutting off the end of the trail shows
            """
            CREATE TABLE audit_head (
                name TEXT PRIMARY KEY,
                hash TEXT NOT NULL
            ) {strict}
            """,
            "INSERT INTO audit_head (name, hash) SELECT 'newest', hash FROM audit ORDER BY id DESC LIMIT 1",
        ),
        "m052_feedback": (
            # why an answer did not help, as the person chose it; empty when they did not say
            "ALTER TABLE questions ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        ),
        "m053_appointments": (
            # kind: asked, follow-up, summary; state: waiting, claimed, sent, missed, failed, unknown; due_at is the
            # moment that was promised, send_at when it is tried next, holder which sender claimed it
            """
            CREATE TABLE appointments (
                id {serial},
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                kind TEXT NOT NULL,
                due_at TEXT NOT NULL,
                send_at TEXT NOT NULL,
                state TEXT NOT NULL DEFAULT 'waiting',
                reason TEXT NOT NULL DEFAULT '',
                tries INTEGER NOT NULL DEFAULT 0,
                holder TEXT NOT NULL DEFAULT '',
                at TEXT NOT NULL,
                UNIQUE (person_id, kind, due_at)
            ) {strict}
            """,
            "CREATE INDEX appointments_open ON appointments (send_at) WHERE state IN ('waiting', 'claimed')",
        ),
        "m071_replicas": (
            # the processes that serve now; beat grows as long as one lives
            """
            CREATE TABLE replicas (
                name TEXT PRIMARY KEY,
                beat INTEGER NOT NULL,
                online INTEGER NOT NULL,
                mark TEXT NOT NULL
            ) {strict}
            """,
            # owner: the process that answers the message; whose process is gone is taken over by another
            "ALTER TABLE inbox ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
            "DROP INDEX inbox_unfinished",
            "CREATE INDEX inbox_unfinished ON inbox (channel, address, id) WHERE stage < 2",
        ),
        "m080_ledger_terms": (
            # what stood in the ledger, without the people: rows that are deleted there are counted here
            """
            CREATE TABLE broadcast_tallies (
                broadcast_id INTEGER NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
                district TEXT NOT NULL,
                channel TEXT NOT NULL,
                state TEXT NOT NULL,
                reason TEXT NOT NULL,
                people INTEGER NOT NULL,
                PRIMARY KEY (broadcast_id, district, channel, state, reason)
            ) {clustered}
            """,
            # proof: who reported within 72 hours, as counted while the ledger still told it; names_gone_at: since when
            # the ledger names nobody
            "ALTER TABLE broadcasts ADD COLUMN proof TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE broadcasts ADD COLUMN names_gone_at TEXT NOT NULL DEFAULT ''",
        ),
        "m081_revocations": (
            # subject: person, consent or report; number: of the person, the consent; since: when that row was made
            """
            CREATE TABLE revocations (
                subject TEXT NOT NULL,
                number INTEGER NOT NULL,
                since TEXT NOT NULL,
                at TEXT NOT NULL,
                PRIMARY KEY (subject, number, since)
            ) {strict}
            """,
            "CREATE INDEX revocations_by_age ON revocations (at)",
        ),
        "m200_walk_tallies": (
            # walks of guides, nobody's: what: standing (where a walk is or was left) or trouble; day: when it began
            """
            CREATE TABLE walk_tallies (
                guide TEXT NOT NULL,
                step TEXT NOT NULL,
                what TEXT NOT NULL,
                day TEXT NOT NULL,
                walks INTEGER NOT NULL,
                PRIMARY KEY (guide, step, what, day)
            ) {clustered}
            """,
        ),
        "m201_handoffs": (
            # a walk that somebody else may go on with; stopped_at: empty until one of both stops it
            """
            CREATE TABLE handoffs (
                code_hash TEXT PRIMARY KEY,
                person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                guide TEXT NOT NULL,
                step TEXT NOT NULL,
                expires_at TEXT NOT NULL,
                stopped_at TEXT NOT NULL DEFAULT ''
            ) {strict}
            """,
            "CREATE INDEX handoffs_by_person ON handoffs (person_id)",
        ),
        "m220_reach_counts": (
            # view: what name is (a commune, a channel, a reason to be left out …), empty for all whom a message reaches
            """
            CREATE TABLE reach_counts (
                day TEXT NOT NULL,
                district TEXT NOT NULL,
                view TEXT NOT NULL,
                name TEXT NOT NULL,
                people INTEGER NOT NULL,
                paid INTEGER NOT NULL,
                PRIMARY KEY (day, district, view, name)
            ) {clustered}
            """,
        ),
        "m221_officers": (
            """
            CREATE TABLE officers (
                person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                name TEXT NOT NULL,
                named_at TEXT NOT NULL
            ) {strict}
            """,
            # name: what whoever takes the role is called; made_by: the admin who invited, 0 for the command line
            "ALTER TABLE invitations ADD COLUMN name TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE invitations ADD COLUMN made_by INTEGER NOT NULL DEFAULT 0",
        ),
        "m222_audit_filters": (
            "CREATE INDEX audit_by_actor ON audit (actor, id)",
            "CREATE INDEX audit_by_time ON audit (at)",
        ),
        "m250_official_imports": (
            # state: draft, taken, undone; content: the tables of the file while it is a draft, as JSON; mapping: where
            # the figures stand; figures: what was taken in, and what stood there before, as JSON
            """
            CREATE TABLE official_imports (
                id {serial},
                state TEXT NOT NULL,
                made_by TEXT NOT NULL,
                file TEXT NOT NULL,
                content TEXT NOT NULL,
                mapping TEXT NOT NULL,
                figures TEXT NOT NULL DEFAULT '[]',
                made_at TEXT NOT NULL,
                taken_at TEXT NOT NULL DEFAULT ''
            ) {strict}
            """,
        ),
        "m251_activity": (
            # what was asked and what became of it, day by day, for as long as reports look back; names nobody.
            # subject: asked, open, helped, unhelped (name: an article), case-opened, case-answered, case-in-time,
            # case-closed (name: its kind)
            """
            CREATE TABLE activity (
                day TEXT NOT NULL,
                subject TEXT NOT NULL,
                name TEXT NOT NULL,
                district TEXT NOT NULL,
                times INTEGER NOT NULL,
                PRIMARY KEY (day, subject, name, district)
            ) {clustered}
            """,
        ),
        "m280_report_product": (
            # which health book: app, vneid or both; empty: the app, before people were asked
            "ALTER TABLE reports ADD COLUMN product TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE report_history ADD COLUMN product TEXT NOT NULL DEFAULT ''",
            """
            INSERT INTO tallies (view, unit, span, district, name, reports)
            SELECT 'product', unit, span, district, '', reports FROM tallies WHERE view = 'district'
            """,
        ),
        "m300_inbox": (
            # overdue_told: the due_at that officers were told has passed; rated: 1 once the citizen has judged the talk
            "ALTER TABLE conversations ADD COLUMN overdue_told TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE conversations ADD COLUMN rated INTEGER NOT NULL DEFAULT 0",
            "CREATE INDEX conversations_closed ON conversations (closed_at) WHERE closed_at <> ''",
        ),
        "m301_case_notes": (
            # what officers note for each other; a citizen never reads it
            """
            CREATE TABLE case_notes (
                id {serial},
                conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
                officer_id INTEGER REFERENCES people (id) ON DELETE SET NULL,
                text TEXT NOT NULL,
                at TEXT NOT NULL
            ) {strict}
            """,
            "CREATE INDEX case_notes_by_conversation ON case_notes (conversation_id)",
            "CREATE INDEX case_notes_by_officer ON case_notes (officer_id)",
            """
            CREATE TABLE case_labels (
                conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
                label TEXT NOT NULL,
                PRIMARY KEY (conversation_id, label)
            ) {clustered}
            """,
        ),
        "m302_saved_replies": (
            """
            CREATE TABLE saved_replies (
                id {serial},
                title TEXT NOT NULL,
                text TEXT NOT NULL,
                changed_at TEXT NOT NULL
            ) {strict}
            """,
        ),
        "m303_case_ratings": (
            # what citizens said of closed talks, nobody's; day: when they said so; rating: good or bad
            """
            CREATE TABLE case_ratings (
                day TEXT NOT NULL,
                district TEXT NOT NULL,
                rating TEXT NOT NULL,
                times INTEGER NOT NULL,
                PRIMARY KEY (day, district, rating)
            ) {clustered}
            """,
        ),
        "m310_trials": (
            # how a share is held back to compare with: percent, hours, seed as JSON; empty for none
            "ALTER TABLE broadcasts ADD COLUMN trial TEXT NOT NULL DEFAULT ''",
        ),
        "m311_report_orders": (
            # every: month, quarter, year; made_by: the officer who ordered it
            """
            CREATE TABLE report_orders (
                person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                every TEXT NOT NULL,
                made_by TEXT NOT NULL,
                made_at TEXT NOT NULL
            ) {strict}
            """,
        ),
    }
)
