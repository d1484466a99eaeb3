import { describe, expect, it } from 'vitest';
import {
  insertFromFile,
  parseInsertStatement,
} from '../../../infra/local/clickhouse/insertStatement.ts';

describe('parseInsertStatement', () => {
  it.each([
    ['INSERT INTO t FORMAT JSONEachRow', 'INSERT INTO t', '', 'JSONEachRow'],
    ['insert into `my db`.`t-1` (a, b)\nformat TSV', 'insert into `my db`.`t-1` (a, b)', '', 'TSV'],
    [
      'INSERT INTO t (* EXCEPT (a, b)) FORMAT Parquet',
      'INSERT INTO t (* EXCEPT (a, b))',
      '',
      'Parquet',
    ],
    ['INSERT INTO {table: Identifier} FORMAT CSV', 'INSERT INTO {table: Identifier}', '', 'CSV'],
    [
      'INSERT INTO d.t SETTINGS async_insert = 0, max_threads=1 FORMAT CSV;',
      'INSERT INTO d.t',
      'SETTINGS async_insert = 0, max_threads=1',
      'CSV',
    ],
  ])('reads %s', (query, head, settings, format) => {
    expect(parseInsertStatement(query)).toEqual({
      head,
      settings,
      format,
      dataStart: query.length,
    });
  });

  it('finds where the rows begin', () => {
    const query = 'INSERT INTO t FORMAT TSV\n1\tFORMAT CSV\n';
    expect(query.slice(parseInsertStatement(query)?.dataStart)).toBe('1\tFORMAT CSV\n');
  });

  it.each([
    'SELECT 1 FORMAT JSON',
    'INSERT INTO t SELECT * FROM u',
    `INSERT INTO t VALUES ('FORMAT CSV')`,
    'INSERT INTO t FORMAT Values\n(1)',
  ])('leaves %s to the engine', query => {
    expect(parseInsertStatement(query)).toBeNull();
  });
});

describe('insertFromFile', () => {
  it('puts the file into the INSERT', () => {
    const statement = parseInsertStatement('INSERT INTO t (a) SETTINGS max_threads=1 FORMAT TSV')!;
    expect(insertFromFile(statement, `/tmp/it's`)).toBe(
      `INSERT INTO t (a) FROM INFILE '/tmp/it\\'s' COMPRESSION 'none' SETTINGS max_threads=1 FORMAT TSV`,
    );
  });
});
