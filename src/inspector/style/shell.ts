// Style.
export const SHELL_STYLE = ``;
