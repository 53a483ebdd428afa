import { readFileSync } from 'node:fs';

/** The folders of the workspaces that are published: those that are not private. */
export function publishedFolders(root) {
  const manifestIn = (folder) => JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));
  return manifestIn('.').workspaces.filter((folder) => manifestIn(folder).private !== true);
}
