import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** @see https://publint.dev/rules */
export async function publintProblems(tarball) {
  const buffer = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  return messages.map(
    (message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
  );
}

/**
 * Whether each of a package's modules is found with its types, by every way of looking for modules that
 * TypeScript has.
 *
 * What an application imports is checked for all of them. The packages that are run rather than imported have
 * ES modules only: Node 20.19, the oldest that is supported, requires these as well as it imports them.
 *
 * @see https://github.com/arethetypeswrong/arethetypeswrong.github.io/tree/main/docs/problems
 */
export async function typeProblems({ manifest, paths, tarball }) {
  const result = await checkPackage(createPackageFromTarballData(tarball), {
    includeEntrypoints: manifest.exports['./*'] === undefined ? [] : modulesOf(paths),
    excludeEntrypoints: ['./*', './package.json'],
  });
  if (result.types === false) return ['attw: it has no types'];
  const hasCommonJs = manifest.main !== undefined;
  return result.problems
    .filter((problem) => hasCommonJs || concernsEsModules(problem))
    .map(({ kind, entrypoint, resolutionKind, fileName, typesFileName, moduleSpecifier }) =>
      ['attw:', kind, entrypoint, resolutionKind, fileName ?? typesFileName, moduleSpecifier]
        .filter((word) => word !== undefined)
        .join(' '),
    );
}

function modulesOf(paths) {
  return paths.flatMap((path) => /^dist\/([\w-]+)\.js$/.exec(path)?.[1] ?? []);
}

function concernsEsModules({ kind, resolutionKind, resolutionOption }) {
  if (kind === 'CJSResolvesToESM') return false;
  return resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs' && resolutionOption !== 'node10';
}
