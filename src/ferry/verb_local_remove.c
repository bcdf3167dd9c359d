/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local uninstall, delete: what the card shall hold no more. uninstall looks first and takes a package
 * with all that came from it; delete is the bare command. */
#include <string.h>

#include <base/text.h>
#include <plan/decide.h>
#include <session/outcome.h>

#include "local_content.h"
#include "local_plan.h"
#include "local_token.h"
#include "verbs.h"

static const struct option_spec uninstall_options[] = {
    LOCAL_CHANGE_OPTIONS, LOCAL_TOKEN_OPTIONS, {NULL, NULL, NULL}};
static const struct option_spec delete_options[] = {LOCAL_CHANGE_OPTIONS,
                                                    LOCAL_TOKEN_OPTIONS,
                                                    {"related", NULL, "also what came from the package"},
                                                    {NULL, NULL, NULL}};

static int argument_aid(struct local *l, const char *text, struct aid *out)
{
    size_t len = 0;
    if (hex_read_str(text, out->data, sizeof(out->data), &len) != OK || len < AID_MIN)
        return local_fail(l, EXIT_USAGE, "'%s' is not an AID: 5 to 16 bytes in hexadecimal", text);
    out->len = (uint8_t)len;
    return EXIT_OK;
}

/* A CAP file stands for its package. */
static int target_of(struct local *l, const char *text, struct aid *out)
{
    struct content c = {.digest = DIGEST_COUNT};
    if (strspn(text, "0123456789abcdefABCDEF") == strlen(text))
        return argument_aid(l, text, out);
    int code = content_read_cap(l, &c, text);
    if (code == EXIT_OK)
        *out = c.cap.package.aid;
    content_finish(&c);
    return code;
}

static enum err plan_uninstall(struct builder *b, struct pk *token_key, const struct registry *holds,
                               const struct aid *target)
{
    if (holds_package(holds, target) != NULL)
        return plan_removal_of(b, token_key, holds, target);
    const struct registry_entry *e = registry_find(holds, target);
    return e != NULL && e->subset == STATUS_APPLICATIONS ? local_put_delete(b, token_key, target, false)
                                                         : ERR_NOT_FOUND;
}

struct removal_target {
    const struct registry *holds; /* NULL: not looked at */
    struct aid aid;
    struct pk *token_key;
    bool related, absent;
};

static enum err put_removal(struct builder *b, void *arg)
{
    struct removal_target *t = arg;
    if (t->holds == NULL)
        return local_put_delete(b, t->token_key, &t->aid, t->related);
    enum err e = plan_uninstall(b, t->token_key, t->holds, &t->aid);
    t->absent = e == ERR_NOT_FOUND;
    return t->absent ? OK : e;
}

static int remove_target(struct local *l, const struct aid *aid, bool looks)
{
    struct removal_target t = {.holds = looks ? &l->registry : NULL,
                               .aid = *aid,
                               .token_key = l->token_key,
                               .related = cli_flag(&l->cli, "related")};
    char hex[2 * AID_MAX + 1];
    int code = local_run(l, put_removal, &t);
    hex_write(hex, aid_view(aid));
    if (code == EXIT_OK && t.absent)
        local_note(l, "The card does not hold %s: nothing was to be done.", hex);
    else if (code == EXIT_OK && !l->o.dry_run)
        local_note(l, "%s is removed.", hex);
    return code;
}

static int uninstall(const struct cli *cli)
{
    struct local l;
    struct aid target;
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = target_of(&l, cli->args[0], &target);
    if (code == EXIT_OK)
        code = local_connect(&l);
    if (code == EXIT_OK)
        code = local_open(&l);
    if (code == EXIT_OK)
        code = local_read_registry(&l);
    if (code == EXIT_OK)
        code = remove_target(&l, &target, true);
    return local_end(&l, code);
}

static int delete (const struct cli *cli)
{
    struct local l;
    struct aid target;
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = argument_aid(&l, cli->args[0], &target);
    if (code == EXIT_OK)
        code = local_ready(&l);
    if (code == EXIT_OK)
        code = remove_target(&l, &target, false);
    return local_end(&l, code);
}

const struct verb verb_local_uninstall = {"local uninstall",
                                          "FILE.cap-OR-AID",
                                          "remove a package and its instances, or one instance",
                                          uninstall_options,
                                          1,
                                          1,
                                          uninstall};
const struct verb verb_local_delete = {"local delete", "AID", "send one DELETE", delete_options, 1, 1,
                                       delete};
