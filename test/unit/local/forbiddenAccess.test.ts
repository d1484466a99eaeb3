import { describe, expect, it } from 'vitest';
import { forbiddenAccess } from '../../../infra/local/clickhouse/forbiddenAccess.ts';
import { foreignRequest } from '../../../infra/local/clickhouse/foreignRequest.ts';

const none = new Map<string, string>();

describe('forbiddenAccess', () => {
  it.each([
    "SELECT * FROM file('/etc/passwd', LineAsString)",
    "SELECT FILE ('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    'SELECT "file" /* x */ (1)',
    "SELECT file --\n('/etc/passwd')",
    "SELECT `\\x66ile`('/etc/passwd')",
    "SELECT $$'$$, file('/etc/passwd'), $$'$$",
    "SELECT * FROM url('http://127.0.0.1', CSV)",
    "SELECT 'x' INTO OUTFILE '/tmp/x' FORMAT CSV",
    "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
    "INSERT INTO FUNCTION s3Cluster('a') SELECT 1",
    "CREATE TABLE t (a String) ENGINE = File(CSV, '/tmp/x')",
    'CREATE DATABASE d ENGINE=Filesystem',
    'CREATE TABLE t (a String) ENGINE Kafka SETTINGS a = 1',
    "CREATE DICTIONARY d (a String) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'id')) LAYOUT(FLAT())",
    "BACKUP TABLE t TO Disk('x', 'y')",
    'SELECT * FROM `/etc/passwd`',
    'SELECT * FROM "../x"',
    "SELECT * FROM eval('SELECT 1')",
  ])('refuses %s', query => {
    expect(forbiddenAccess(query, none)).not.toBeNull();
  });

  it('refuses a path as the name of a table in a parameter', () => {
    const query = 'SELECT * FROM {t: Identifier} WHERE a = {a: String}';
    const parameters = (t: string) => new Map(Object.entries({ param_t: t, param_a: '/etc/x' }));
    expect(forbiddenAccess(query, parameters('/etc/passwd'))).toBe('/etc/passwd');
    expect(forbiddenAccess(query, parameters('predictions'))).toBeNull();
  });

  it.each([
    'SELECT url, file FROM t WHERE profile(a) = 1',
    'SELECT encodeURLComponent(a), format(b), count() AS "errors/total" FROM t FORMAT JSON',
    'INSERT INTO t (url, a) SELECT 1, 2',
    'CREATE TABLE t (a String) ENGINE = ReplacingMergeTree(b) ORDER BY a',
  ])('allows %s', query => {
    expect(forbiddenAccess(query, none)).toBeNull();
  });
});

describe('foreignRequest', () => {
  it.each([
    { host: 'evil.example:8123' },
    { host: '127.0.0.1:8123', origin: 'http://evil.example' },
    { host: '127.0.0.1:8123', origin: 'null' },
    { host: '127.0.0.1:8123', origin: 'http://127.0.0.1:3000' },
    { host: '127.0.0.1:8123', 'sec-fetch-site': 'cross-site' },
  ])('refuses %o', headers => {
    expect(foreignRequest(headers, '127.0.0.1')).not.toBeNull();
  });

  it.each([
    {},
    { host: '127.0.0.1:8123' },
    { host: 'localhost:8123' },
    { host: '[::1]:8123' },
    { host: '127.0.0.1:8123', origin: 'http://127.0.0.1:8123', 'sec-fetch-site': 'same-origin' },
  ])('takes %o', headers => {
    expect(foreignRequest(headers, '127.0.0.1')).toBeNull();
  });
});
