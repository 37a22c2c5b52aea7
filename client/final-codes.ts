/** Close codes after which coming back would be refused or do harm: ended, replaced, kicked, too many problems. */
export const FINAL_CODES: readonly number[] = [4000, 4001, 4002, 4008];
/** Another socket of the same peer or endpoint took over. */
export const REPLACED = 4001;
