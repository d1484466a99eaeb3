/**
 * Ends a query that reads tables with FINAL. The partition of a row follows from its key in all
 * tables of Driftloop, so a key never has rows in two partitions, and FINAL need not look across
 * them.
 */
export const finalSettings = 'SETTINGS do_not_merge_across_partitions_select_final = 1';
