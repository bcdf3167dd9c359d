/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the dialogue share: identify.c (who is the card, is it the right one), opening.c (how a
 * channel begins), deliver.c (packets and their answers), session.c (the table), state.c (the session as
 * bytes). */
#ifndef SESSION_PARTS_H
#define SESSION_PARTS_H

#include <session/session.h>

typedef enum err session_action(struct session *s, const struct session_world *w,
                                const struct session_event *e, struct session_turn *out);

/* identify.c */
session_action session_begin, session_identified, session_answered, session_resume;
/* opening.c */
session_action session_prepared, session_opened;
/* deliver.c */
session_action session_signed, session_delivered, session_settled;

/* identify.c: sends what is asked of the card's identity and, in the state OPEN, the opening behind it. */
enum err session_send_questions(struct session *s, struct session_turn *out,
                                enum session_state state) MUST_USE;
void session_forget_answers(struct session *s);
/* Rule 6: the card must not speak weaker than it once did. */
enum err session_end_downgrade(struct session *s, struct session_turn *out) MUST_USE;

/* opening.c: counts an opening and sends it, or asks the vault for it first. */
enum err session_send_open(struct session *s, const struct session_world *w,
                           struct session_turn *out) MUST_USE;
enum err session_put_opening(const struct session *s, struct script_writer *script) MUST_USE;
/* The answers to the opening's commands: the vault gets them when they are what can be expected. */
enum err session_check_opening(struct session *s, const struct session_world *w, const struct view *rapdus,
                               size_t count, struct session_turn *out) MUST_USE;

/* opening.c: an application that is not there or not approved ends the session. *ended: it did. */
enum err session_check_app(struct session *s, const struct session_world *w, struct session_turn *out,
                           bool *ended) MUST_USE;

/* deliver.c: makes the next packet of an open channel (WANT_SIGN), or ends the session when nothing is left
 * to do or it can't be done. */
enum err session_next_packet(struct session *s, const struct session_world *w,
                             struct session_turn *out) MUST_USE;

/* session.c */
void session_record(struct session *s, enum session_record_kind kind, uint8_t kvn, uint32_t limit);
void session_drop_records(struct session *s, enum session_record_kind kind);
/* The turn writes the records and sends s->packet; the session rests in state. */
enum err session_send(struct session *s, struct session_turn *out, enum session_state state,
                      size_t commands) MUST_USE;
/* The turn writes the records and the outcome. detail: a sentence for people, or NULL for the reason's. */
enum err session_end(struct session *s, struct session_turn *out, enum outcome o, enum reason r,
                     const char *detail, ...) MUST_USE __attribute__((format(printf, 5, 6)));
/* Forgets the channel that was open, and what was believed because of it. */
void session_close_channel(struct session *s);
const struct channel_method *session_method(const struct session *s);
/* True when the status of the client says that the card was lost. */
bool session_torn(const struct session *s);

#endif
