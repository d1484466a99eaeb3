import { expect, it } from 'vitest';
import { statementCount } from '../../../infra/local/clickhouse/statementCount.ts';

it.each([
  ['SELECT 1', 1],
  ['SELECT 1;\n', 1],
  ['SELECT 1; SELECT 2', 2],
  ['', 0],
  ['-- nothing; at all', 0],
  [`SELECT ';', 'it''s;', 'a\\';b' /* ; */ -- ; c`, 1],
  ['SELECT `a;b`, "c;d" FROM t; -- end', 1],
  [`CREATE TABLE t (a String COMMENT 'x; -- y'); DROP TABLE t`, 2],
])('counts the statements of %j', (sql, count) => {
  expect(statementCount(sql)).toBe(count);
});
