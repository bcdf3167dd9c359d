/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates of CPLC, which tell one digit of their year. */
#include <gp/identity.h>

enum { DIGITS = 4, MONTHS = 12, DAYS_MAX = 366, DECADE = 10 };

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

unsigned cplc_day_of_year(unsigned year, unsigned month, unsigned day)
{
    for (unsigned m = 1; m < month && m <= MONTHS; m++)
        day += days_of_month(year, m);
    return day;
}

/* YDDD as four digits. */
static bool take_digits(struct view v, unsigned digits[DIGITS])
{
    if (v.len != 2)
        return false;
    for (unsigned n = 0; n < DIGITS; n++) {
        digits[n] = n % 2 == 0 ? v.data[n / 2] >> 4 : v.data[n / 2] & 0x0F;
        if (digits[n] >= DECADE)
            return false;
    }
    return true;
}

enum err cplc_date_read(struct view v, unsigned year_today, unsigned day_of_year_today, struct cplc_date *out)
{
    unsigned digits[DIGITS];
    if (!take_digits(v, digits) || year_today < DECADE)
        return ERR_FORMAT;
    unsigned day = digits[1] * 100 + digits[2] * 10 + digits[3];
    unsigned year = year_today - year_today % DECADE + digits[0];
    if (year > year_today || (year == year_today && day > day_of_year_today))
        year -= DECADE;
    if (day == 0 || day > DAYS_MAX || (day == DAYS_MAX && !is_leap(year)))
        return ERR_FORMAT;
    struct cplc_date made = {.year = year, .month = 1, .day = day};
    while (made.day > days_of_month(year, made.month))
        made.day -= days_of_month(year, made.month++);
    *out = made;
    return OK;
}
