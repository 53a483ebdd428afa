import { existsSync, readdirSync } from 'node:fs';

/** All that may be in a tarball. */
const wanted = [
  /^(package\.json|README\.md|LICENSE)$/,
  /^commonjs\/package\.json$/,
  /^bin\/[\w-]+\.js$/,
  /^(dist|commonjs\/dist)\/[\w./-]+\.(js|js\.map|d\.ts)$/,
  /^dist\/verify\.html$/,
  // Pages and their parts, named by what is in them; the licenses of what they were made of.
  /^dist\/web\/(index\.html|licenses\.md|assets\/[\w.-]+\.(js|css|svg))$/,
  /^(sql|prisma\/migrations)\/[\w-]+\.sql$/,
  /^prisma\/schema\.prisma$/,
];
const unwanted = [/\.test\./, /(^|\/)test\//, /tsbuildinfo/];

/** What a tarball lacks, and what it has that does not belong there. */
export function contentProblems({ folder, manifest, paths }) {
  const has = new Set(paths);
  const problems = paths
    .filter((path) => !wanted.some((rule) => rule.test(path)) || unwanted.some((rule) => rule.test(path)))
    .map((path) => `${path} does not belong there`);
  for (const path of ['README.md', 'LICENSE', ...expectedFiles(folder)]) {
    if (!has.has(path)) problems.push(`${path} is missing`);
  }
  for (const path of paths.filter((path) => /^(?!dist\/web\/).*dist\/.*\.js$/.test(path))) {
    if (!existsSync(`${folder}/src/${path.replace(/^.*dist\//, '').replace(/\.js$/, '.ts')}`)) {
      problems.push(`${path} was made of a source that is no more: delete dist, and build again`);
    }
  }
  for (const field of ['description', 'license', 'repository', 'engines', 'publishConfig']) {
    if (manifest[field] === undefined) problems.push(`package.json has no "${field}"`);
  }
  return problems;
}

/** What the compiler does not make, or not alone. */
function expectedFiles(folder) {
  const listed = (name) => (existsSync(`${folder}/${name}`) ? readdirSync(`${folder}/${name}`) : []);
  const sources = listed('src').filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const builds = existsSync(`${folder}/commonjs`) ? ['dist', 'commonjs/dist'] : ['dist'];
  return [
    ...listed('sql').map((file) => `sql/${file}`),
    ...listed('bin').map((file) => `bin/${file}`),
    ...listed('prisma/migrations').map((file) => `prisma/migrations/${file}`),
    ...(existsSync(`${folder}/page`) ? ['dist/verify.html'] : []),
    ...(existsSync(`${folder}/src/web`) ? ['dist/web/index.html', 'dist/web/licenses.md'] : []),
    ...builds.flatMap((build) =>
      sources.flatMap((file) => ['.js', '.d.ts'].map((end) => `${build}/${file.replace(/\.ts$/, end)}`)),
    ),
  ];
}
