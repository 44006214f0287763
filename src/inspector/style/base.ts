// Style.
export const BASE_STYLE = ``;
