const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

const DAY_MS = 86_400_000;
/** Days before each month of a year that begins with March: leap days come last. */
const BEFORE_MONTH = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
/** From 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468;

/** Milliseconds since 1970 of a date and time as RFC 3339 s5.6 has it; undefined for what is none. */
export function msOfDateTime(text: string): number | undefined {
  const [, year, month, day, hour, minute, second, fraction = "0", sign, ahead, past] =
    DATE_TIME.exec(text) ?? [];
  const before = BEFORE_MONTH[Number(month) - 1];
  if (before === undefined) return undefined;
  const years = Number(year) - (Number(month) < 3 ? 1 : 0);
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  const days = years * 365 + leaps + before + Number(day) - 1 - EPOCH_DAYS;
  const minutes = Number(hour) * 60 + Number(minute);
  const offset = sign === undefined ? 0 : Number(`${sign}1`) * (Number(ahead) * 60 + Number(past));
  const ms = Number(second) * 1000 + Number(fraction.padEnd(3, "0").slice(0, 3));
  return days * DAY_MS + (minutes - offset) * 60_000 + ms;
}
