import { type RefObject, useCallback, useMemo, useRef, useState } from 'react';
import type { ListRow } from './entry-groups.ts';

/** What people do with a list: which row they are at, which are open, which are selected. By the rows' keys. */
export interface ListControl {
  readonly active: string | undefined;
  readonly opened: ReadonlySet<string>;
  readonly selected: ReadonlySet<string>;
  /** Whether the active row is to be scrolled to and to have the focus. */
  readonly wantsFocus: RefObject<boolean>;
  toggle(key: string): void;
  /** With `isRange`, all between the last one that was selected and this. */
  select(key: string, isRange: boolean): void;
  focused(key: string): void;
  /** To the next row, or the one before. */
  move(by: 1 | -1): void;
  toggleActive(): void;
  selectActive(): void;
  clearSelection(): void;
  reset(): void;
}

export function useListControl(rows: RefObject<readonly ListRow[]>): ListControl {
  const [active, setActive] = useState<string>();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const wantsFocus = useRef(false);
  const current = useRef<string>(undefined);
  const lastSelected = useRef<string>(undefined);
  current.current = active;

  const toggle = useCallback((key: string) => setOpened((keys) => toggled(keys, key)), []);
  const select = useCallback(
    (key: string, isRange: boolean) => {
      const list = rows.current;
      const from = list.findIndex((row) => row.key === lastSelected.current);
      const to = list.findIndex((row) => row.key === key);
      lastSelected.current = key;
      if (!isRange || from < 0 || to < 0) {
        setSelected((keys) => toggled(keys, key));
        return;
      }
      const range = list.slice(Math.min(from, to), Math.max(from, to) + 1);
      const keys = range.flatMap((row) => (row.kind === 'entry' ? [row.key] : []));
      setSelected((before) => new Set([...before, ...keys]));
    },
    [rows],
  );
  const move = useCallback(
    (by: 1 | -1) => {
      const list = rows.current;
      const at = list.findIndex(({ key }) => key === current.current);
      const next = list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)];
      if (!next) return;
      wantsFocus.current = true;
      setActive(next.key);
    },
    [rows],
  );
  const reset = useCallback(() => {
    setActive(undefined);
    setOpened(new Set());
    setSelected(new Set());
  }, []);
  return useMemo(
    () => ({
      ...{ active, opened, selected, wantsFocus, toggle, select, move, reset },
      focused: setActive,
      toggleActive: () => current.current !== undefined && toggle(current.current),
      selectActive: () => current.current !== undefined && select(current.current, false),
      clearSelection: () => setSelected(new Set()),
    }),
    [active, opened, selected, toggle, select, move, reset],
  );
}

function toggled(keys: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const others = [...keys].filter((each) => each !== key);
  return new Set(others.length === keys.size ? [...others, key] : others);
}
