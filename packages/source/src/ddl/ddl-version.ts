/** From here on pgoutput carries messages. Before it only the identity of new tables is cared for. */
export const oldestMessageVersion = 140_000;
