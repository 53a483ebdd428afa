import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ListRow } from './entry-groups.ts';
import { EntryRow } from './entry-row.tsx';
import { GroupRow } from './group-row.tsx';
import type { ListControl } from './use-list-control.ts';

interface EntryListProps {
  readonly rows: readonly ListRow[];
  readonly log: string;
  readonly control: ListControl;
  /** Called when the end of what is loaded comes near. */
  readonly onNearEnd: () => void;
}

/** Of a closed row on a wide page; others are measured. */
const rowHeight = 37;
const headerHeight = 56;
/** So many rows before the end, more are asked for. */
const nearRows = 40;

/** However many rows there are, those that are seen are in the page. */
export function EntryList({ rows, log, control, onNearEnd }: EntryListProps) {
  const list = useRef<HTMLOListElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    const top = list.current?.getBoundingClientRect().top ?? 0;
    const margin = Math.round(top + window.scrollY);
    if (margin !== scrollMargin) setScrollMargin(margin);
  });
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rows[index]!.key,
    overscan: 12,
    scrollMargin,
    scrollPaddingStart: headerHeight + 8,
    scrollPaddingEnd: 48,
  });
  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastIndex >= rows.length - nearRows) onNearEnd();
  }, [lastIndex, rows.length, onNearEnd]);

  const { active, wantsFocus } = control;
  useEffect(() => {
    if (!wantsFocus.current || active === undefined) return;
    const index = rows.findIndex(({ key }) => key === active);
    if (index < 0) return;
    virtualizer.scrollToIndex(index, { align: 'auto' });
    const focus = (): boolean => {
      const button = list.current?.querySelector<HTMLElement>(`[data-entry="${CSS.escape(active)}"]`);
      button?.focus({ preventScroll: true });
      if (button) wantsFocus.current = false;
      return button !== null && button !== undefined;
    };
    if (focus()) return;
    // What was far away is in the page only after it was scrolled to.
    const frame = requestAnimationFrame(focus);
    return () => cancelAnimationFrame(frame);
  });

  const tabbed = rows.some(({ key }) => key === active) ? active : rows[items[0]?.index ?? 0]?.key;
  return (
    <ol
      ref={list}
      className="entry-list"
      aria-label="Changes, the newest first"
      style={{ height: virtualizer.getTotalSize() }}
    >
      {items.map((item) => {
        const row = rows[item.index];
        if (!row) return null;
        return (
          <li
            key={item.key}
            ref={virtualizer.measureElement}
            data-index={item.index}
            aria-setsize={-1}
            aria-posinset={item.index + 1}
            style={{ transform: `translateY(${item.start - scrollMargin}px)` }}
          >
            {row.kind === 'entry' ? (
              <EntryRow
                entry={row.entry}
                log={log}
                isOpen={control.opened.has(row.key)}
                isSelected={control.selected.has(row.key)}
                isActive={row.key === tabbed}
                isInGroup={row.isInGroup}
                onToggle={control.toggle}
                onSelect={control.select}
                onFocus={control.focused}
              />
            ) : (
              <GroupRow
                group={row.group}
                isOpen={row.isOpen}
                isActive={row.key === tabbed}
                onToggle={control.toggle}
                onFocus={control.focused}
              />
            )}
          </li>
        );
      })}
    </ol>
  );
}
