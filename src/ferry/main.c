/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry: the client. Relay for the card holder, administration for the operator. */
#include <stddef.h>

#include "verbs.h"

static const struct verb *const verbs[] = {
    &verb_readers,
    &verb_card,
    &verb_run,
    &verb_watch,
    &verb_open,
    &verb_agent,
    &verb_app_add,
    &verb_app_list,
    &verb_app_show,
    &verb_app_approve,
    &verb_app_texts,
    &verb_app_sequence,
    &verb_app_remove,
    &verb_key_add,
    &verb_key_list,
    &verb_key_retire,
    &verb_type_add,
    &verb_type_list,
    &verb_type_show,
    &verb_type_remove,
    &verb_order_add,
    &verb_order_list,
    &verb_order_show,
    &verb_order_ticket,
    &verb_order_cancel,
    &verb_session_list,
    &verb_session_show,
    &verb_session_dialogue,
    &verb_card_list,
    &verb_card_show,
    &verb_card_release,
    &verb_audit,
    &verb_console,
    &verb_local_list,
    &verb_local_info,
    &verb_local_install,
    &verb_local_load,
    &verb_local_uninstall,
    &verb_local_delete,
    &verb_local_lock,
    &verb_local_unlock,
    &verb_local_secure,
    &verb_local_put_key,
    &verb_local_store_data,
    &verb_local_create_domain,
    &verb_local_dap,
    &verb_local_script,
    &verb_local_play,
    &verb_local_release,
    NULL,
};

int main(int argc, char **argv)
{
    return cli_main(argc, argv, verbs);
}
