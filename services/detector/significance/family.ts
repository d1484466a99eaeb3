/** Name of a family of tests, as in the list of families: `data_quality`, `features` and others. */
export type FamilyName = string;
