// npm run pack: packs every package that is published into tarballs/, and checks what is in there.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { publishedFolders } from './published-folders.mjs';
import { contentProblems } from './tarball-content.mjs';
import { publintProblems, typeProblems } from './tarball-tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const destination = `${root}tarballs`;

const folders = publishedFolders(root);
rmSync(destination, { recursive: true, force: true });
mkdirSync(destination);
// npm packs a license only from the package's own folder.
for (const folder of folders) copyFileSync(`${root}LICENSE`, `${root}${folder}/LICENSE`);

const packed = JSON.parse(
  execFileSync(
    'npm',
    [
      ...['pack', '--json', '--ignore-scripts', '--pack-destination', destination],
      ...folders.flatMap((folder) => ['--workspace', folder]),
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'inherit'] },
  ),
);

let found = 0;
const index = [];
for (const [number, { name, filename, integrity, shasum, size, files }] of Object.values(packed).entries()) {
  const folder = `${root}${folders[number]}`;
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const tarball = readFileSync(`${destination}/${filename}`);
  const paths = files.map((file) => file.path);
  const problems = [
    ...contentProblems({ folder, manifest, paths }),
    ...(await publintProblems(tarball)),
    ...(await typeProblems({ manifest, paths, tarball })),
  ];
  found += problems.length;
  index.push({ filename, integrity, shasum, manifest });
  console.log(
    `${problems.length === 0 ? '✓' : '✗'} ${name}  ${paths.length} files, ${Math.ceil(size / 1000)} kB`,
  );
  for (const problem of problems) console.log(`    ${problem}`);
}
// The tests install the tarballs by it (tarball-registry.ts).
writeFileSync(`${destination}/packed.json`, JSON.stringify(index));
console.log(`\n${found === 0 ? 'Packed' : `${found} problems in what is packed`} in tarballs/`);
process.exitCode = found === 0 ? 0 : 1;
