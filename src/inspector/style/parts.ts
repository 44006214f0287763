// Style.
export const PARTS_STYLE = ``;
