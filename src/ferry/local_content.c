/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what shall go onto a card, checks it, and makes the commands. */
#include "local_content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gp/weak.h>
#include <base/text.h>
#include <plan/decide.h>
#include <session/outcome.h>
#include <tlv/tlv.h>

#include "card_facts.h"
#include "local_token.h"
#include "local_words.h"
#include "profile.h"

enum { SECURITY_DOMAIN = 0x80, TAG_EF = 0xEF, BLOCK_SIZE_MIN = 16, BLOCK_SIZE_MAX = 65000 };

/* ---- reading */

int content_read_cap(struct local *l, struct content *c, const char *path)
{
    struct cap_problem why = {""};
    wr_heap(&c->file, CAP_FILE_MAX);
    enum err e = read_file(path, CAP_FILE_MAX, &c->file);
    if (e != OK)
        return local_fail(l, EXIT_BAD_CAP, "%s can't be read: %s", path, err_text(e));
    e = cap_read(&c->cap, wr_view_of(&c->file), &why);
    if (e != OK)
        return local_fail(l, EXIT_BAD_CAP, "%s: %s", path, why.text[0] != '\0' ? why.text : err_text(e));
    c->has_cap = true;
    return EXIT_OK;
}

void content_finish(struct content *c)
{
    if (c->has_cap)
        cap_finish(&c->cap);
    wr_free(&c->file);
    wr_free(&c->daps);
    wipe(c->parameters, sizeof(c->parameters));
    wipe(c->system, sizeof(c->system));
}

static int read_hex(struct local *l, const char *name, uint8_t out[PARAMETERS_MAX], size_t *len)
{
    const char *text = cli_option(&l->cli, name);
    *len = 0;
    if (text == NULL || hex_read_str(text, out, PARAMETERS_MAX, len) == OK)
        return EXIT_OK;
    return local_fail(l, EXIT_USAGE, "--%s wants at most %d bytes in hexadecimal", name, PARAMETERS_MAX);
}

static int read_hash(struct local *l, struct content *c)
{
    const char *text = cli_option(&l->cli, "hash");
    /* GPCS 2.3.1 11.5.2.3.1: with DAP blocks and tokens the hash must be there. */
    bool wanted = cli_flag(&l->cli, "dap") || cli_flag(&l->cli, "token-key");
    c->digest = wanted ? DIGEST_SHA256 : DIGEST_COUNT;
    if (text == NULL || dap_digest_by_name(view_str(text), &c->digest) == OK)
        return local_check_weak(l, c->digest != DIGEST_COUNT ? weak_of_digest(c->digest) : 0);
    return local_fail(l, EXIT_USAGE, "--hash must be sha1, sha256, sha384 or sha512");
}

static int read_daps(struct local *l, struct content *c)
{
    const char *path;
    struct load_file parsed;
    wr_heap(&c->daps, DAPS_TEXT_MAX);
    for (int n = 0; (path = cli_option_nth(&l->cli, "dap", n)) != NULL; n++) {
        struct writer whole;
        size_t before = c->daps.len;
        enum err e = read_file(path, DAPS_TEXT_MAX - c->daps.len, &c->daps);
        /* The parser wants a load file behind. */
        wr_heap(&whole, DAPS_TEXT_MAX + 4);
        wr_view(&whole, view_tail(wr_view_of(&c->daps), before));
        wr_bytes(&whole, "\xC4\x01", 3);
        bool good = e == OK && wr_ok(&whole) && load_file_parse(wr_view_of(&whole), &parsed) == OK &&
                    parsed.dap_count > 0 && !parsed.ciphered;
        wr_free(&whole);
        if (!good)
            return local_fail(l, EXIT_USAGE, "%s is not a DAP block, as 'ferry local dap' writes it", path);
    }
    return EXIT_OK;
}

static int read_platform(struct local *l, struct content *c)
{
    const char *version = cli_option(&l->cli, "java-card");
    if (version == NULL || cap_platform(version, &c->platform, &c->platform_count) == OK)
        return EXIT_OK;
    return local_fail(l, EXIT_USAGE, "--java-card: %s is not a version that is known, such as 2.2.2 or 3.0.5",
                      version);
}

/* Which applets: the one that was named, or all. */
static int choose_applets(struct local *l, struct content *c)
{
    struct aid module, instance;
    if (!option_aid(&l->cli, "module", &module) || !option_aid(&l->cli, "instance", &instance))
        return EXIT_USAGE;
    for (size_t n = 0; n < c->cap.applet_count; n++) {
        if (module.len > 0 && !aid_equal(&module, &c->cap.applets[n]))
            continue;
        c->modules[c->install_count] = c->instances[c->install_count] = c->cap.applets[n];
        c->install_count++;
    }
    if (c->install_count == 0)
        return local_fail(l, EXIT_USAGE,
                          module.len > 0 ? "the CAP file has no applet with the AID of --module"
                                         : "the CAP file has no applet: use 'ferry local load'");
    if (c->install_count > 1 && (instance.len > 0 || cli_flag(&l->cli, "params")))
        return local_fail(l, EXIT_USAGE, "the CAP file has %zu applets: say with --module which one",
                          c->install_count);
    if (instance.len > 0)
        c->instances[0] = instance;
    return EXIT_OK;
}

static int read_install(struct local *l, struct content *c)
{
    const char *text = cli_option(&l->cli, "privileges");
    if (text != NULL && privileges_parse(text, &c->privileges) != OK)
        return local_fail(
            l, EXIT_USAGE,
            "--privileges wants 1 or 3 bytes in hexadecimal, or names such as card-reset, with commas "
            "between");
    int code = read_hex(l, "params", c->parameters, &c->parameters_len);
    if (code == EXIT_OK)
        code = read_hex(l, "system", c->system, &c->system_len);
    return code == EXIT_OK ? choose_applets(l, c) : code;
}

int content_read(struct local *l, struct content *c, bool installs)
{
    long block_size;
    c->installs = installs;
    c->loads = !cli_flag(&l->cli, "no-load");
    c->replaces = cli_flag(&l->cli, "replace");
    if (!cli_number(&l->cli, "block-size", BLOCK_SIZE_MIN, BLOCK_SIZE_MAX, 0, &block_size) ||
        !option_aid(&l->cli, "to", &c->to))
        return EXIT_USAGE;
    c->block_size = (size_t)block_size;
    int code = read_hex(l, "load-params", c->load_parameters, &c->load_parameters_len);
    if (code == EXIT_OK)
        code = read_hash(l, c);
    if (code == EXIT_OK)
        code = read_daps(l, c);
    if (code == EXIT_OK)
        code = read_platform(l, c);
    if (code == EXIT_OK && installs)
        code = read_install(l, c);
    if (code != EXIT_OK)
        return code;
    struct plan *trial = calloc(1, sizeof(*trial));
    code = trial != NULL ? content_plan(l, c, trial) : local_fail(l, EXIT_OTHER, "out of memory");
    if (trial != NULL)
        plan_finish(trial);
    free(trial);
    return code;
}

/* ---- against the card */

static bool is_instance_of(const struct registry_entry *e, const struct aid *package)
{
    return e->subset == STATUS_APPLICATIONS && aid_equal(&e->package, package);
}

static const struct registry_entry *find_application(const struct registry *r, const struct aid *aid)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->entries[i].subset == STATUS_APPLICATIONS && aid_equal(&r->entries[i].aid, aid))
            return &r->entries[i];
    return NULL;
}

static int check_package(struct local *l, const struct content *c)
{
    const struct registry_entry *there = holds_package(&l->registry, &c->cap.package.aid);
    char name[2 * AID_MAX + 1];
    hex_write(name, aid_view(&c->cap.package.aid));
    if (there == NULL && !c->loads)
        return local_fail(l, EXIT_FAILED, "the card does not hold package %s, which --no-load expects", name);
    if (there == NULL || !c->loads || c->replaces)
        return EXIT_OK;
    if (there->has_version)
        return local_fail(
            l, EXIT_FAILED,
            "the card holds the package %s already, in version %u.%u: --replace removes it first, "
            "--no-load only installs from it",
            name, there->version[0], there->version[1]);
    return local_fail(
        l, EXIT_FAILED,
        "the card holds the package %s already: --replace removes it first, --no-load only installs "
        "from it",
        name);
}

static int check_instances(struct local *l, const struct content *c)
{
    char hex[2 * AID_MAX + 1];
    for (size_t n = 0; n < c->install_count; n++) {
        const struct registry_entry *e = find_application(&l->registry, &c->instances[n]);
        if (e == NULL)
            continue;
        hex_write(hex, aid_view(&c->instances[n]));
        if (e->package.len > 0 && !aid_equal(&e->package, &c->cap.package.aid))
            return local_fail(l, EXIT_FAILED, "the card holds an application %s of another package", hex);
        if (!c->replaces)
            return local_fail(l, EXIT_FAILED,
                              "the card holds an application %s already: --replace removes it first", hex);
    }
    return EXIT_OK;
}

static int check_domain(struct local *l, const struct content *c)
{
    char hex[2 * AID_MAX + 1];
    const struct registry_entry *e = find_application(&l->registry, &c->to);
    if (c->to.len == 0 || aid_equal(&c->to, &l->card.isd))
        return EXIT_OK;
    hex_write(hex, aid_view(&c->to));
    if (e == NULL)
        return local_fail(l, EXIT_FAILED, "the card has no security domain %s", hex);
    if ((e->privileges.byte[0] & SECURITY_DOMAIN) == 0)
        return local_fail(l, EXIT_FAILED, "%s is an application, not a security domain", hex);
    return EXIT_OK;
}

static int check_imports(struct local *l, const struct content *c)
{
    struct plan_problem why = {.text = ""};
    const struct plan_input in = {.purpose = PLAN_INSTALL,
                                  .cap = &c->cap,
                                  .identity = &l->card,
                                  .holds = &l->registry,
                                  .platform = c->platform,
                                  .platform_count = c->platform_count};
    enum err e = c->loads ? decide_imports(&in, &why) : OK;
    return e == OK ? EXIT_OK : local_fail(l, EXIT_MISSING_DEPENDENCY, "%s", why.text);
}

/* What a package that goes would give back no card tells, so it does not count (card-rules: nothing is
 * removed unless the new can be loaded). */
static int check_memory(struct local *l, const struct content *c)
{
    struct card_memory memory;
    struct writer answer;
    struct apdu a;
    uint16_t sw = 0;
    if (!c->loads)
        return EXIT_OK;
    command_get_data(&a, TAG_CARD_RESOURCES);
    wr_heap(&answer, RAPDU_MAX);
    int code = local_command(l, &a, &answer, &sw);
    bool told = code == EXIT_OK && sw == SW_OK && memory_parse(wr_view_of(&answer), &memory) == OK &&
                memory.has_nonvolatile;
    wr_free(&answer);
    if (code != EXIT_OK || !told)
        return code;
    if (c->cap.load.len <= memory.nonvolatile)
        return EXIT_OK;
    return local_fail(
        l, EXIT_CARD_MEMORY, "the load file has %zu bytes and the card %lu left%s; nothing was changed",
        c->cap.load.len, (unsigned long)memory.nonvolatile,
        c->replaces ? " (what the old package would give back the card does not tell: remove it "
                      "yourself if you are sure)"
                    : "");
}

int content_check(struct local *l, const struct content *c)
{
    if (l->channel == NULL) /* --dry-run without a key: nothing is known of the card */
        return EXIT_OK;
    int code = check_package(l, c);
    if (code == EXIT_OK)
        code = check_instances(l, c);
    if (code == EXIT_OK)
        code = check_domain(l, c);
    if (code == EXIT_OK)
        code = check_imports(l, c);
    return code == EXIT_OK ? check_memory(l, c) : code;
}

/* ---- commands */

static const struct position nowhere = {0, 0};

enum err plan_removal_of(struct builder *b, struct pk *token_key, const struct registry *holds,
                         const struct aid *package)
{
    enum err e = OK;
    for (size_t i = 0; i < holds->count && e == OK; i++)
        if (is_instance_of(&holds->entries[i], package))
            e = local_put_delete(b, token_key, &holds->entries[i].aid, false);
    if (e == OK && holds_package(holds, package) != NULL)
        e = local_put_delete(b, token_key, package, true);
    return e;
}

/* Without --no-load the package goes with all that came from it, otherwise only what will be installed. */
static enum err put_removals(struct builder *b, const struct local *l, const struct content *c)
{
    enum err e = OK;
    if (!c->replaces)
        return OK;
    if (c->loads)
        return plan_removal_of(b, l->token_key, &l->registry, &c->cap.package.aid);
    for (size_t n = 0; n < c->install_count && e == OK; n++)
        if (find_application(&l->registry, &c->instances[n]) != NULL)
            e = local_put_delete(b, l->token_key, &c->instances[n], false);
    return e;
}

static enum err put_load(struct builder *b, const struct local *l, const struct content *c)
{
    struct writer file;
    uint8_t hash[DIGEST_MAX];
    enum err e = OK;
    struct install i = {.purpose = INSTALL_LOAD,
                        .package = aid_view(&c->cap.package.aid),
                        .domain = aid_view(&c->to),
                        .parameters = view_of(c->load_parameters, c->load_parameters_len)};
    if (c->digest != DIGEST_COUNT) {
        e = cap_hash(&c->cap, b->crypto, c->digest, hash);
        i.hash = view_of(hash, crypto_digest_len(c->digest));
    }
    if (e == OK)
        e = local_put_install(b, l->token_key, &i);
    wr_heap(&file, LOAD_FILE_MAX + DAPS_TEXT_MAX + 8);
    wr_view(&file, wr_view_of(&c->daps));
    command_load_header(&file, c->cap.load.len);
    wr_view(&file, wr_view_of(&c->cap.load));
    if (e == OK)
        e = wr_status(&file);
    if (e == OK)
        e = build_load_file(b, wr_view_of(&file), nowhere);
    wr_free(&file);
    return e;
}

static enum err put_install(struct builder *b, const struct local *l, const struct content *c, size_t n)
{
    uint8_t memory[2 * PARAMETERS_MAX + 16];
    struct writer parameters;
    const struct install_parameters p = {.has_c9 = true,
                                         .c9 = view_of(c->parameters, c->parameters_len),
                                         .system = view_of(c->system, c->system_len)};
    wr_fixed(&parameters, memory, sizeof(memory));
    command_put_parameters(&parameters, &p);
    struct install i = {.purpose = INSTALL_INSTALL_SELECTABLE,
                        .package = aid_view(&c->cap.package.aid),
                        .module = aid_view(&c->modules[n]),
                        .application = aid_view(&c->instances[n]),
                        .has_privileges = true,
                        .privileges = c->privileges,
                        .parameters = wr_view_of(&parameters)};
    enum err e = local_put_install(b, l->token_key, &i);
    wr_clear(&parameters);
    return e;
}

int content_plan(struct local *l, const struct content *c, struct plan *out)
{
    struct builder b;
    struct plan_problem why = {.text = ""};
    builder_init(&b, out, &c->cap, &why);
    b.crypto = l->crypto;
    b.block_size = c->block_size > 0 ? c->block_size : local_block_size(l);
    /* Before a card is there: some card may. */
    b.extended = c->block_size == 0 && (l->card.atr_len == 0 || identity_extended_length(&l->card));
    b.command_data_max = l->card.command_data_max;
    enum err e = put_removals(&b, l, c);
    if (e == OK && c->loads)
        e = put_load(&b, l, c);
    for (size_t n = 0; n < c->install_count && e == OK; n++)
        e = put_install(&b, l, c, n);
    builder_finish(&b);
    if (e == OK)
        return EXIT_OK;
    return local_fail(l, e == ERR_LIMIT || e == ERR_FORMAT ? EXIT_BAD_CAP : EXIT_USAGE,
                      "the commands can't be made: %s", why.text[0] != '\0' ? why.text : err_text(e));
}
