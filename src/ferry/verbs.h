/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs, one file for each group. */
#ifndef FERRY_VERBS_H
#define FERRY_VERBS_H

#include "cli.h"

extern const struct verb verb_readers, verb_card, verb_run, verb_watch, verb_open, verb_agent;
extern const struct verb verb_app_add, verb_app_list, verb_app_show, verb_app_sequence, verb_app_remove;
extern const struct verb verb_app_approve, verb_app_texts;
extern const struct verb verb_key_add, verb_key_list, verb_key_retire;
extern const struct verb verb_type_add, verb_type_list, verb_type_show, verb_type_remove;
extern const struct verb verb_order_add, verb_order_list, verb_order_show, verb_order_cancel,
    verb_order_ticket;
extern const struct verb verb_session_list, verb_session_show, verb_session_dialogue;
extern const struct verb verb_card_list, verb_card_show, verb_card_release;
extern const struct verb verb_audit, verb_console;
extern const struct verb verb_local_list, verb_local_info, verb_local_release;
extern const struct verb verb_local_install, verb_local_load, verb_local_uninstall, verb_local_delete;
extern const struct verb verb_local_lock, verb_local_unlock, verb_local_secure;
extern const struct verb verb_local_put_key, verb_local_store_data, verb_local_create_domain;
extern const struct verb verb_local_dap, verb_local_script, verb_local_play;

#endif
