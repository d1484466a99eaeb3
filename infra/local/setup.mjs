// Installs everything that Driftloop needs on a machine that has Node, Java and Maven.
// Every npm script runs it first (those of tests with --tests, for what only they need), so it is plain JavaScript for Node 20 without dependencies.
// It recognises what is installed by package-lock.json, and by a stamp with the hash of pom.xml,
// which takes milliseconds.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const projectFolder = fileURLToPath(new URL('../../', import.meta.url));
const pomFile = fileURLToPath(new URL('pom.xml', import.meta.url));
const libraryFolder = join(projectFolder, '.driftloop', 'lib');
const lockFile = join(projectFolder, 'package-lock.json');
const installedFile = join(projectFolder, 'node_modules', '.package-lock.json');
const projectNode = join(projectFolder, 'node_modules', '.bin', 'node');
const minNodeVersion = 20;
const minJavaVersion = 17;
const maxOutputCharacters = 1_000_000;
const npmCommand = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** The servers in Java: folder below .driftloop/lib, text of the progress, goal of pom.xml. */
const javaParts = [
  {
    folder: 'kafka',
    title: 'fetching Kafka 4.3.0 (44 MB, once)',
    goal: 'dependency:copy-dependencies@kafka',
  },
  {
    folder: 'registry',
    title: 'fetching the schema registry, Apicurio 2.6.13 (142 MB, once)',
    goal: 'dependency:unpack@registry',
  },
  {
    folder: 's3proxy',
    title: 'fetching an S3 server for the tests, S3Proxy 4.1.0 (55 MB, once)',
    goal: 'dependency:copy@s3proxy',
    isForTests: true,
  },
];

/** An error with a remedy. It is printed without a stack trace. */
class SetupError extends Error {}

function hashOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function stampIs(file, content) {
  return existsSync(file) && readFileSync(file, 'utf8') === content;
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= minNodeVersion) return;
  throw new SetupError(
    `Node ${minNodeVersion} or newer is needed, and this is ${process.versions.node}: install it from https://nodejs.org`,
  );
}

/** Returns what a command says about its version, or null if there is no such command. */
function versionOutput(command, argument) {
  const result = spawnSync(command, [argument], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return result.error || result.status !== 0 ? null : result.stdout + result.stderr;
}

function checkJava() {
  const output = versionOutput('java', '-version');
  const remedy = `install Java ${minJavaVersion} or newer (Debian: apt install openjdk-17-jre-headless) and put java on the PATH`;
  if (output === null) throw new SetupError(`Java is missing: ${remedy}`);
  // 'openjdk version "17.0.15"' or, before Java 9, 'java version "1.8.0_392"'.
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  const major = first === '1' ? Number(second) : Number(first);
  if (major < minJavaVersion)
    throw new SetupError(
      `Java ${minJavaVersion} or newer is needed, and this is Java ${major}: ${remedy}`,
    );
}

function checkMaven() {
  if (versionOutput('mvn', '--version') === null) {
    throw new SetupError(
      'Maven is missing: install it (Debian: apt install maven) and put mvn on the PATH',
    );
  }
}

/** Runs a command without showing its output. @returns what it said if it failed, else null */
function run(command, args) {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: projectFolder,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    const collect = chunk => {
      if (output.length < maxOutputCharacters) output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', error => resolve(String(error.message)));
    child.on('close', code => resolve(code === 0 ? null : tellingLines(output)));
  });
}

/**
 * Returns the first lines that speak of an error. npm and Maven print the cause first, and then
 * pages of advice.
 */
function tellingLines(output) {
  const lines = output.split('\n').filter(line => line.trim() !== '');
  const errors = lines.filter(line => /error/i.test(line));
  return (errors.length > 0 ? errors.slice(0, 8) : lines.slice(-8)).join('\n');
}

function isDiskFull(text) {
  return /ENOSPC|No space left on device/i.test(text);
}

/** Runs a command with a line of progress. @throws SetupError with the cause and the remedy */
async function runStep(title, command, args, remedy) {
  process.stdout.write(`${title} ... `);
  const startedMs = Date.now();
  const failure = await run(command, args);
  process.stdout.write(
    failure === null ? `${Math.round((Date.now() - startedMs) / 1000)} s\n` : 'failed\n',
  );
  if (failure === null) return;
  if (isDiskFull(failure)) throw new SetupError(diskFullMessage());
  throw new SetupError(`${failure}\n${command} ${args.join(' ')} failed: ${remedy}`);
}

function diskFullMessage() {
  return `the disk is full: free about 2 GB for ${projectFolder}, ~/.m2 and ~/.npm, then start again`;
}

async function installModules() {
  if (modulesAreComplete()) return;
  const release = await takeTurn(join(projectFolder, '.driftloop', 'npm-install.lock'));
  try {
    if (modulesAreComplete()) return;
    const remedy = 'check that the npm registry can be reached, then start again';
    // Not `npm ci`, which refuses a lock file that was written where the registry lacked packages
    // of other platforms (chdb, Biome).
    await runStep(
      'installing packages with npm (once)',
      npmCommand,
      ['install', '--no-save', '--no-audit', '--no-fund'],
      remedy,
    );
    if (!existsSync(projectNode)) {
      throw new SetupError(
        'the npm package "node" has no program, because npm does not run install scripts here: allow them with "npm config set ignore-scripts false", then start again',
      );
    }
  } finally {
    release();
  }
}

/**
 * Returns true if node_modules has what package-lock.json asks for. As the last step of an
 * installation npm writes node_modules/.package-lock.json, which lists what was installed. Packages
 * for other platforms are optional and not in that list.
 */
function modulesAreComplete() {
  if (!existsSync(installedFile) || !existsSync(projectNode)) return false;
  const { '': _project, ...wanted } = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const isAsWanted = ([path, { version, optional }]) =>
    installed[path] ? installed[path].version === version : optional;
  return Object.entries(wanted).every(isAsWanted);
}

async function fetchJavaParts() {
  const wanted = hashOf(pomFile);
  const withTests = process.argv.includes('--tests');
  const missing = javaParts.filter(
    ({ folder, isForTests }) =>
      (withTests || !isForTests) && !stampIs(join(libraryFolder, folder, '.stamp'), wanted),
  );
  if (missing.length === 0) return;
  checkMaven();
  const release = await takeTurn(join(projectFolder, '.driftloop', 'maven.lock'));
  try {
    for (const part of missing) {
      if (!stampIs(join(libraryFolder, part.folder, '.stamp'), wanted))
        await fetchJavaPart(part, wanted);
    }
  } finally {
    release();
  }
}

/**
 * Fetches a server into a temporary folder and renames that at the end, so that the server is there
 * completely or not at all.
 */
async function fetchJavaPart(part, stamp) {
  const place = join(libraryFolder, part.folder);
  mkdirSync(libraryFolder, { recursive: true });
  for (const name of readdirSync(libraryFolder)) {
    if (name.startsWith(`.${part.folder}-`))
      rmSync(join(libraryFolder, name), { recursive: true, force: true });
  }
  const temporary = mkdtempSync(join(libraryFolder, `.${part.folder}-`));
  const remedy =
    'check that Maven Central (or your mirror in ~/.m2/settings.xml) can be reached, then start again';
  try {
    await runStep(
      part.title,
      'mvn',
      ['-q', '-B', '-f', pomFile, part.goal, `-Dlib=${temporary}`],
      remedy,
    );
    writeFileSync(join(temporary, '.stamp'), stamp);
    rmSync(place, { recursive: true, force: true });
    renameSync(temporary, place);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Waits until no other setup works on the same thing. The lock is a folder, because creating one is
 * atomic. It names its owner; the lock of an owner that is gone is taken over.
 * @returns a function that releases the lock
 */
async function takeTurn(lock) {
  mkdirSync(dirname(lock), { recursive: true });
  let announced = false;
  while (!tryLock(lock)) {
    if (!announced) console.log('another command is installing the same, waiting for it');
    announced = true;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  return release;
}

function tryLock(lock) {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isAbandoned(lock)) return false;
    rmSync(lock, { recursive: true, force: true });
    return tryLock(lock);
  }
}

function isAbandoned(lock) {
  try {
    const owner = Number(readFileSync(join(lock, 'pid'), 'utf8'));
    process.kill(owner, 0);
    return false;
  } catch (error) {
    if (error.code === 'EPERM') return false;
    // A lock without a process id is being made at this moment, or its owner died while making it.
    if (error.code === 'ENOENT')
      return existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 5_000;
    return true;
  }
}

async function setUp() {
  checkNode();
  checkJava();
  await installModules();
  await fetchJavaParts();
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
try {
  await setUp();
} catch (error) {
  const known =
    error instanceof SetupError
      ? error.message
      : isDiskFull(String(error.message))
        ? diskFullMessage()
        : null;
  console.error(known ?? error);
  process.exit(1);
}
