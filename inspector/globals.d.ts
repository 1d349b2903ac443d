/** Constants that the build defines. */
declare const VERSION: string
declare module '*.css'
